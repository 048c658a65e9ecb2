#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/fma.h"

namespace backplane::interp {

void register_fma_alternating(Forms& forms) { x86::forms::register_fma_alternating(forms); }

}  // namespace backplane::interp
