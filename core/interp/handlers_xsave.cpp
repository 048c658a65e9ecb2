#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/xsave.h"

namespace backplane::interp {

void register_xsave(Forms& forms) { x86::register_xsave(forms); }

}  // namespace backplane::interp
