// Forms of the bitwise logic instructions.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/logic.h"

namespace backplane::x86 {
namespace forms {

// XOR and SUB, which programs use to clear a register.
inline bool is_clear(const Instruction& instruction) {
    const ZydisDecodedOperand& first = instruction.operands[0];
    const ZydisDecodedOperand& second = instruction.operands[1];
    return (instruction.mnemonic() == ZYDIS_MNEMONIC_XOR ||
            instruction.mnemonic() == ZYDIS_MNEMONIC_SUB) &&
           is_register(first) && is_register(second) && first.reg.value == second.reg.value;
}

template <class Engine, auto semantic>
typename Engine::Handler binary_or_clear(const Instruction& instruction, Op& op) {
    if (!is_clear(instruction)) return binary<Engine, semantic>(instruction, op);
    fill_reg(instruction.operands[0], op);
    return with_any_width(instruction.operands[0].size, []<class T>() {
        return Engine::template handler<semantics::clear, Reg<T>>();
    });
}

}  // namespace forms

template <class Engine>
void register_logic(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_AND] = binary<Engine, semantics::and_>;
    table[ZYDIS_MNEMONIC_OR] = binary<Engine, semantics::or_>;
    table[ZYDIS_MNEMONIC_XOR] = binary_or_clear<Engine, semantics::xor_>;
    table[ZYDIS_MNEMONIC_TEST] = binary<Engine, semantics::test, Lock::Refused>;
    table[ZYDIS_MNEMONIC_NOT] = unary<Engine, semantics::not_>;
}

}  // namespace backplane::x86
