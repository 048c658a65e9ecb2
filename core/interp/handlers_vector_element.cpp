#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/vector_element.h"

namespace backplane::interp {

void register_vector_element(Forms& forms) { x86::register_vector_element(forms); }

}  // namespace backplane::interp
