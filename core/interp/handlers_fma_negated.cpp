#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/fma.h"

namespace backplane::interp {

void register_fma_negated(Forms& forms) { x86::forms::register_fma_negated(forms); }

}  // namespace backplane::interp
