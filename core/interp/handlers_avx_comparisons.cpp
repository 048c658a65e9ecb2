#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_float.h"

namespace backplane::interp {

void register_avx_comparisons(Forms& forms) { x86::forms::register_avx_comparisons(forms); }

}  // namespace backplane::interp
