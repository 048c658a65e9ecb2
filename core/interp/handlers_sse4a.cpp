#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/sse4a.h"

namespace backplane::interp {

void register_sse4a(Forms& forms) { x86::register_sse4a(forms); }

}  // namespace backplane::interp
