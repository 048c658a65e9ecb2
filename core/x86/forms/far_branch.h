// Forms of the far jumps, calls and returns, of software interrupts and IRET.
#pragma once

#include "x86/far_pointer.h"
#include "x86/forms/branch.h"
#include "x86/semantics/far_branch.h"
#include "x86/semantics/interrupt.h"

namespace backplane::x86 {
namespace forms {

// The target of a far JMP or CALL, whose offset has the operand's size.
template <class Engine, auto semantic, class T>
typename Engine::Handler far_target(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& target = instruction.operands[0];
    if (is_memory(target)) {
        fill_memory(instruction, target, op);
        if (sizeof(T) == 8 && instruction.has_amd_operands)
            return Engine::template handler<semantic, FarMemory<std::uint32_t>>();
        return Engine::template handler<semantic, FarMemory<T>>();
    }
    op.extra = target.ptr.segment;
    op.immediate = static_cast<T>(target.ptr.offset);
    return Engine::template handler<semantic, FarImmediate>();
}

template <class Engine>
typename Engine::Handler jump_far(const Instruction& instruction, Op& op) {
    if (!is_far(instruction)) return nullptr;
    return with_wide_width(instruction.decoded.operand_width,
                           [&]<class T>() -> typename Engine::Handler {
                               return far_target<Engine, semantics::jump_far, T>(instruction, op);
                           });
}

template <class Engine>
typename Engine::Handler call_far(const Instruction& instruction, Op& op) {
    if (!is_far(instruction)) return nullptr;
    return with_wide_width(
        instruction.decoded.operand_width, [&]<class T>() -> typename Engine::Handler {
            return far_target<Engine, semantics::call_far<T>, T>(instruction, op);
        });
}

template <class Engine>
typename Engine::Handler return_far(const Instruction& instruction, Op& op) {
    if (!is_far(instruction)) return nullptr;
    if (instruction.decoded.operand_count_visible == 1)
        op.immediate = static_cast<std::uint16_t>(instruction.operands[0].imm.value.u);
    return with_wide_width(instruction.decoded.operand_width,
                           []<class T>() -> typename Engine::Handler {
                               return Engine::template handler<semantics::return_far<T>>();
                           });
}

template <class Engine>
typename Engine::Handler int_n(const Instruction& instruction, Op& op) {
    op.immediate = static_cast<std::uint8_t>(instruction.operands[0].imm.value.u);
    return Engine::template handler<semantics::int_n>();
}

}  // namespace forms

template <class Engine>
void register_far_branch(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_JMP] = jump_far<Engine>;
    table[ZYDIS_MNEMONIC_CALL] = call_far<Engine>;
    table[ZYDIS_MNEMONIC_RET] = return_far<Engine>;
    table[ZYDIS_MNEMONIC_INT] = int_n<Engine>;
    table[ZYDIS_MNEMONIC_INT1] = plain<Engine, semantics::int1>;
    table[ZYDIS_MNEMONIC_INT3] = plain<Engine, semantics::int3>;
    table[ZYDIS_MNEMONIC_INTO] = plain<Engine, semantics::into>;
    table[ZYDIS_MNEMONIC_IRET] = plain<Engine, semantics::iret<std::uint16_t>>;
    table[ZYDIS_MNEMONIC_IRETD] = plain<Engine, semantics::iret<std::uint32_t>>;
    table[ZYDIS_MNEMONIC_IRETQ] = plain<Engine, semantics::iret<std::uint64_t>>;
}

}  // namespace backplane::x86
