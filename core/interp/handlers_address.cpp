#include "interp/forms_table.h"
#include "interp/handlers.h"
#include "x86/forms/operands.h"

namespace backplane::interp {

Handler bind_address_op(const x86::Instruction& instruction, Op& op) {
    return x86::forms::bind_address<InterpreterEngine>(instruction, op);
}

}  // namespace backplane::interp
