// Forms of the addition and subtraction instructions, and of BOUND.
#pragma once

#include "x86/doubled.h"
#include "x86/forms/logic.h"
#include "x86/forms/shapes.h"
#include "x86/semantics/arithmetic.h"
#include "x86/semantics/bound.h"

namespace backplane::x86 {
namespace forms {

template <class Engine>
typename Engine::Handler bound(const Instruction& instruction, Op& op) {
    fill_reg(instruction.operands[0], op);
    fill_memory(instruction, instruction.operands[1], op);
    return with_width<std::uint16_t, std::uint32_t>(instruction.operands[0].size, []<class T>() {
        using Pair = Memory<typename Doubled<T>::Unsigned>;
        return Engine::template handler<semantics::bound, Reg<T>, Pair>();
    });
}

}  // namespace forms

template <class Engine>
void register_arithmetic(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_ADD] = binary<Engine, semantics::add>;
    table[ZYDIS_MNEMONIC_ADC] = binary<Engine, semantics::adc>;
    table[ZYDIS_MNEMONIC_SUB] = binary_or_clear<Engine, semantics::sub>;
    table[ZYDIS_MNEMONIC_SBB] = binary<Engine, semantics::sbb>;
    table[ZYDIS_MNEMONIC_CMP] = binary<Engine, semantics::cmp, Lock::Refused>;
    table[ZYDIS_MNEMONIC_INC] = unary<Engine, semantics::inc>;
    table[ZYDIS_MNEMONIC_DEC] = unary<Engine, semantics::dec>;
    table[ZYDIS_MNEMONIC_NEG] = unary<Engine, semantics::neg>;
    table[ZYDIS_MNEMONIC_ADCX] = register_from_any<Engine, semantics::adcx>;
    table[ZYDIS_MNEMONIC_ADOX] = register_from_any<Engine, semantics::adox>;
    table[ZYDIS_MNEMONIC_BOUND] = bound<Engine>;
}

}  // namespace backplane::x86
