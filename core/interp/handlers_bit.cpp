#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/bit.h"

namespace backplane::interp {

void register_bit(Forms& forms) { x86::register_bit(forms); }

}  // namespace backplane::interp
