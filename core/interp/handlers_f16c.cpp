#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/f16c.h"

namespace backplane::interp {

void register_f16c(Forms& forms) { x86::register_f16c(forms); }

}  // namespace backplane::interp
