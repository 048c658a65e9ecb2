#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/move.h"

namespace backplane::interp {

void register_move(Forms& forms) { x86::register_move(forms); }

}  // namespace backplane::interp
