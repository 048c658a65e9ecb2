#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/crc32.h"

namespace backplane::interp {

void register_crc32(Forms& forms) { x86::register_crc32(forms); }

}  // namespace backplane::interp
