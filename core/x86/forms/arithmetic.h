// Forms of the addition and subtraction instructions.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/arithmetic.h"

namespace backplane::x86 {

template <class Engine>
void register_arithmetic(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_ADD] = binary<Engine, semantics::add>;
    table[ZYDIS_MNEMONIC_ADC] = binary<Engine, semantics::adc>;
    table[ZYDIS_MNEMONIC_SUB] = binary<Engine, semantics::sub>;
    table[ZYDIS_MNEMONIC_SBB] = binary<Engine, semantics::sbb>;
    table[ZYDIS_MNEMONIC_CMP] = binary<Engine, semantics::cmp, Lock::Refused>;
    table[ZYDIS_MNEMONIC_INC] = unary<Engine, semantics::inc>;
    table[ZYDIS_MNEMONIC_DEC] = unary<Engine, semantics::dec>;
    table[ZYDIS_MNEMONIC_NEG] = unary<Engine, semantics::neg>;
}

}  // namespace backplane::x86
