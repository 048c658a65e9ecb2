#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/arithmetic.h"

namespace backplane::interp {

void register_arithmetic(Forms& forms) { x86::register_arithmetic(forms); }

}  // namespace backplane::interp
