#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/stack.h"

namespace backplane::interp {

void register_stack(Forms& forms) { x86::register_stack(forms); }

}  // namespace backplane::interp
