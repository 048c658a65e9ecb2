#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/x87.h"

namespace backplane::interp {

void register_x87_transfers(Forms& forms) { x86::forms::register_x87_transfers(forms); }

}  // namespace backplane::interp
