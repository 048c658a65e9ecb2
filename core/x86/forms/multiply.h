// Forms of the multiplications, divisions and decimal adjustments.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/decimal.h"
#include "x86/semantics/multiply.h"

namespace backplane::x86 {
namespace forms {

template <class Engine>
typename Engine::Handler imul(const Instruction& instruction, Op& op) {
    if (instruction.decoded.operand_count_visible == 1)
        return unary<Engine, semantics::imul_wide, Lock::Refused>(instruction, op);
    if (instruction.decoded.operand_count_visible == 2)
        return register_from_any<Engine, semantics::imul>(instruction, op);
    const ZydisDecodedOperand& source = instruction.operands[1];
    fill_reg(instruction.operands[0], op);
    fill_immediate(instruction.operands[2], op);
    return with_wide_width(source.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(source)) {
            fill_rm(source, op);
            return Engine::template handler<semantics::imul_of, Reg<T>, Rm<T>, Immediate<T>>();
        }
        fill_memory(instruction, source, op);
        return Engine::template handler<semantics::imul_of, Reg<T>, Memory<T>, Immediate<T>>();
    });
}

template <class Engine, auto semantic>
typename Engine::Handler decimal_with_base(const Instruction& instruction, Op& op) {
    fill_immediate(instruction.operands[0], op);
    return Engine::template handler<semantic, Immediate<std::uint8_t>>();
}

}  // namespace forms

template <class Engine>
void register_multiply(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_MUL] = unary<Engine, semantics::mul, Lock::Refused>;
    table[ZYDIS_MNEMONIC_IMUL] = imul<Engine>;
    table[ZYDIS_MNEMONIC_DIV] = unary<Engine, semantics::div, Lock::Refused>;
    table[ZYDIS_MNEMONIC_IDIV] = unary<Engine, semantics::idiv, Lock::Refused>;
    table[ZYDIS_MNEMONIC_AAA] = plain<Engine, semantics::aaa>;
    table[ZYDIS_MNEMONIC_AAS] = plain<Engine, semantics::aas>;
    table[ZYDIS_MNEMONIC_AAM] = decimal_with_base<Engine, semantics::aam>;
    table[ZYDIS_MNEMONIC_AAD] = decimal_with_base<Engine, semantics::aad>;
    table[ZYDIS_MNEMONIC_DAA] = plain<Engine, semantics::daa>;
    table[ZYDIS_MNEMONIC_DAS] = plain<Engine, semantics::das>;
}

}  // namespace backplane::x86
