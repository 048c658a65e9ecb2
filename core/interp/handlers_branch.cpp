#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/branch.h"

namespace backplane::interp {

void register_branch(Forms& forms) { x86::register_branch(forms); }

}  // namespace backplane::interp
