#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/sse_float.h"

namespace backplane::interp {

void register_sse_conversions(Forms& forms) { x86::forms::register_sse_conversions(forms); }

}  // namespace backplane::interp
