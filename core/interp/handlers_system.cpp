#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/system.h"

namespace backplane::interp {

void register_system(Forms& forms) { x86::register_system(forms); }

}  // namespace backplane::interp
