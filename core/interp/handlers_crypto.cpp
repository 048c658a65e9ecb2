#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/crypto.h"

namespace backplane::interp {

void register_crypto(Forms& forms) { x86::register_crypto(forms); }

}  // namespace backplane::interp
