// The interpreter's forms, one function for each family so that they are compiled apart.
#pragma once

#include "interp/engine.h"
#include "x86/forms.h"

namespace backplane::interp {

using Forms = x86::FormTable<InterpreterEngine>;

// Everything this engine executes.
Forms make_forms();

// The address micro-op in front of an instruction; null when it needs none.
Handler bind_address_op(const x86::Instruction& instruction, Op& op);

// An instruction and the conditional branch behind it as one op; null when the pair has no such
// form.
Handler bind_fused_op(const x86::Instruction& first, const x86::Instruction& jump, Op& op);

}  // namespace backplane::interp
