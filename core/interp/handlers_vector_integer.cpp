#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_integer.h"

namespace backplane::interp {

void register_vector_integer(Forms& forms) { x86::register_vector_integer(forms); }

}  // namespace backplane::interp
