#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_shuffle.h"

namespace backplane::interp {

void register_avx_crypto(Forms& forms) { x86::forms::register_avx_crypto(forms); }

}  // namespace backplane::interp
