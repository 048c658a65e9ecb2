#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/far_branch.h"

namespace backplane::interp {

void register_far_branch(Forms& forms) { x86::register_far_branch(forms); }

}  // namespace backplane::interp
