#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_move.h"

namespace backplane::interp {

void register_vector_move(Forms& forms) { x86::register_vector_move(forms); }

}  // namespace backplane::interp
