#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_masked.h"

namespace backplane::interp {

void register_avx_masked(Forms& forms) { x86::register_avx_masked(forms); }

}  // namespace backplane::interp
