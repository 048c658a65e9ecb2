#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_float.h"

namespace backplane::interp {

void register_avx_float_sse4(Forms& forms) { x86::forms::register_avx_float_sse4(forms); }

}  // namespace backplane::interp
