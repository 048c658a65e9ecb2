#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/logic.h"

namespace backplane::interp {

void register_logic(Forms& forms) { x86::register_logic(forms); }

}  // namespace backplane::interp
