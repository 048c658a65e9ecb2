#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/multiply.h"

namespace backplane::interp {

void register_multiply(Forms& forms) { x86::register_multiply(forms); }

}  // namespace backplane::interp
