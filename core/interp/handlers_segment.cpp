#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/segment.h"

namespace backplane::interp {

void register_segment(Forms& forms) { x86::register_segment(forms); }

}  // namespace backplane::interp
