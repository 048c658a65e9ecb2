// IRET as engines execute it: its semantic, and whoever observes the processor hears of it.
#pragma once

#include "x86/semantics/interrupt.h"

namespace backplane::interp {

// [vcpu] IRET went where it goes; RSP and CPL are those of there.
void interrupt_returned(x86::SystemServices& processor);

template <class Word>
inline constexpr auto observed_iret = [](auto& m) {
    const x86::Outcome outcome = x86::semantics::iret<Word>(m);
    if (outcome == x86::Outcome::Jump) interrupt_returned(m.system());
    return outcome;
};

}  // namespace backplane::interp
