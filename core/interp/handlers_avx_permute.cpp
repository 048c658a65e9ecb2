#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_permute.h"

namespace backplane::interp {

void register_avx_permute(Forms& forms) { x86::register_avx_permute(forms); }

}  // namespace backplane::interp
