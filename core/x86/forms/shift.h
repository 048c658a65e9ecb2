// Forms of the shifts and rotates.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/shift.h"

namespace backplane::x86 {
namespace forms {

// The count kind for the last visible operand: CL, or an immediate known not to be zero, or
// (rarely) a useless zero.
template <class Engine, auto semantic, class... Operands>
typename Engine::Handler with_count(const ZydisDecodedOperand& count, unsigned width, Op& op) {
    if (is_register(count))
        return Engine::template handler<semantic, Operands..., Counter<std::uint8_t>>();
    op.immediate = count.imm.value.u & (width == 64 ? 63 : 31);
    if (op.immediate != 0) return Engine::template handler<semantic, Operands..., NonzeroCount>();
    return Engine::template handler<semantic, Operands..., Immediate<std::uint8_t>>();
}

template <class Engine, auto semantic>
typename Engine::Handler shift(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& value = instruction.operands[0];
    const ZydisDecodedOperand& count = instruction.operands[1];
    return with_any_width(value.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(value)) {
            fill_reg(value, op);
            return with_count<Engine, semantic, Reg<T>>(count, value.size, op);
        }
        fill_memory(instruction, value, op);
        return with_count<Engine, semantic, Memory<T>>(count, value.size, op);
    });
}

template <class Engine, auto semantic>
typename Engine::Handler double_shift(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& value = instruction.operands[0];
    const ZydisDecodedOperand& count = instruction.operands[2];
    return with_wide_width(value.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(value)) {
            fill_reg(value, op);
            fill_rm(instruction.operands[1], op);
            return with_count<Engine, semantic, Reg<T>, Rm<T>>(count, value.size, op);
        }
        fill_memory(instruction, value, op);
        fill_reg(instruction.operands[1], op);
        return with_count<Engine, semantic, Memory<T>, Reg<T>>(count, value.size, op);
    });
}

}  // namespace forms

template <class Engine>
void register_shift(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_SHL] = shift<Engine, semantics::shl>;
    table[ZYDIS_MNEMONIC_SHR] = shift<Engine, semantics::shr>;
    table[ZYDIS_MNEMONIC_SAR] = shift<Engine, semantics::sar>;
    table[ZYDIS_MNEMONIC_ROL] = shift<Engine, semantics::rol>;
    table[ZYDIS_MNEMONIC_ROR] = shift<Engine, semantics::ror>;
    table[ZYDIS_MNEMONIC_RCL] = shift<Engine, semantics::rcl>;
    table[ZYDIS_MNEMONIC_RCR] = shift<Engine, semantics::rcr>;
    table[ZYDIS_MNEMONIC_SHLD] = double_shift<Engine, semantics::shld>;
    table[ZYDIS_MNEMONIC_SHRD] = double_shift<Engine, semantics::shrd>;
}

}  // namespace backplane::x86
