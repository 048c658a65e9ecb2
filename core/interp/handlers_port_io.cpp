#include "interp/families.h"
#include "interp/handlers.h"
#include "x86/forms/port_io.h"

namespace backplane::interp {

void register_port_io(Forms& forms) { x86::register_port_io(forms); }

}  // namespace backplane::interp
