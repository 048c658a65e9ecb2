#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/sse_float_sse4.h"

namespace backplane::interp {

void register_sse_float_sse4(Forms& forms) { x86::register_sse_float_sse4(forms); }

}  // namespace backplane::interp
