// Forms of the bitwise logic instructions.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/logic.h"

namespace backplane::x86 {

template <class Engine>
void register_logic(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_AND] = binary<Engine, semantics::and_>;
    table[ZYDIS_MNEMONIC_OR] = binary<Engine, semantics::or_>;
    table[ZYDIS_MNEMONIC_XOR] = binary<Engine, semantics::xor_>;
    table[ZYDIS_MNEMONIC_TEST] = binary<Engine, semantics::test, Lock::Refused>;
    table[ZYDIS_MNEMONIC_NOT] = unary<Engine, semantics::not_>;
}

}  // namespace backplane::x86
