#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_shuffle.h"

namespace backplane::interp {

void register_vector_shuffle(Forms& forms) { x86::register_vector_shuffle(forms); }

}  // namespace backplane::interp
