#include "interp/families.h"
#include "interp/handlers.h"
#include "interp/interrupt_return.h"
#include "x86/forms/far_branch.h"

namespace backplane::interp {

void register_far_branch(Forms& forms) {
    x86::register_far_branch(forms);
    forms[ZYDIS_MNEMONIC_IRET] = x86::forms::plain<InterpreterEngine, observed_iret<std::uint16_t>>;
    forms[ZYDIS_MNEMONIC_IRETD] =
        x86::forms::plain<InterpreterEngine, observed_iret<std::uint32_t>>;
    forms[ZYDIS_MNEMONIC_IRETQ] =
        x86::forms::plain<InterpreterEngine, observed_iret<std::uint64_t>>;
}

}  // namespace backplane::interp
