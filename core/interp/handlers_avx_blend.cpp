#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_shuffle.h"

namespace backplane::interp {

void register_avx_blend(Forms& forms) { x86::forms::register_avx_blend(forms); }

}  // namespace backplane::interp
