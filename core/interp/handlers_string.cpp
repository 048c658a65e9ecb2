#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/string.h"

namespace backplane::interp {

void register_string(Forms& forms) { x86::register_string(forms); }

}  // namespace backplane::interp
