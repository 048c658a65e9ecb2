#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/bit_manipulation.h"

namespace backplane::interp {

void register_bit_manipulation(Forms& forms) { x86::register_bit_manipulation(forms); }

}  // namespace backplane::interp
