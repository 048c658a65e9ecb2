#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/x87.h"

namespace backplane::interp {

void register_x87_control(Forms& forms) { x86::forms::register_x87_control(forms); }

}  // namespace backplane::interp
