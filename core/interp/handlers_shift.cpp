#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/shift.h"

namespace backplane::interp {

void register_shift(Forms& forms) { x86::register_shift(forms); }

}  // namespace backplane::interp
