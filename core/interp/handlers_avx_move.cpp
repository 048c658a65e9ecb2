#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/avx_move.h"

namespace backplane::interp {

void register_avx_move(Forms& forms) { x86::register_avx_move(forms); }

}  // namespace backplane::interp
