#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_neighbours.h"

namespace backplane::interp {

void register_vector_neighbours(Forms& forms) { x86::register_vector_neighbours(forms); }

}  // namespace backplane::interp
