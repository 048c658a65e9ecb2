#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_string.h"

namespace backplane::interp {

void register_vector_string(Forms& forms) { x86::register_vector_string(forms); }

}  // namespace backplane::interp
