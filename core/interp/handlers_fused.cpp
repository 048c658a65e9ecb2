#include "interp/forms_table.h"
#include "interp/handlers.h"
#include "x86/forms/branch.h"

namespace backplane::interp {

Handler bind_fused_op(const x86::Instruction& first, const x86::Instruction& jump, Op& op) {
    return x86::forms::bind_fused<InterpreterEngine>(first, jump, op);
}

}  // namespace backplane::interp
