// Binders for the operand shapes that many instructions have in common.
//
// Register operands go by role, not by ModRM field: the first one is Op::reg, the second Op::rm.
#pragma once

#include "x86/forms/operands.h"
#include "x86/implicit_operand.h"
#include "x86/stack.h"

namespace backplane::x86::forms {

enum class Lock : std::uint8_t { Refused, Allowed };

inline void fill_immediate(const ZydisDecodedOperand& operand, Op& op) {
    op.immediate = operand.imm.value.u;
}
inline void fill_reg(const ZydisDecodedOperand& operand, Op& op) {
    op.reg = register_offset(operand.reg.value);
}
inline void fill_rm(const ZydisDecodedOperand& operand, Op& op) {
    op.rm = register_offset(operand.reg.value);
}

// One instruction without operands of its own.
template <class Engine, auto semantic>
typename Engine::Handler plain(const Instruction&, Op&) {
    return Engine::template handler<semantic>();
}

// `first` in a register or memory, `second` a register, memory or immediate of the same width.
template <class Engine, auto semantic, Lock lock = Lock::Allowed>
typename Engine::Handler binary(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& first = instruction.operands[0];
    const ZydisDecodedOperand& second = instruction.operands[1];
    return with_any_width(first.size, [&]<class T>() -> typename Engine::Handler {
        if (is_immediate(second)) fill_immediate(second, op);
        if (is_register(first)) {
            fill_reg(first, op);
            if (is_immediate(second))
                return Engine::template handler<semantic, Reg<T>, Immediate<T>>();
            if (is_register(second)) {
                fill_rm(second, op);
                return Engine::template handler<semantic, Reg<T>, Rm<T>>();
            }
            fill_memory(instruction, second, op);
            return Engine::template handler<semantic, Reg<T>, Memory<T>>();
        }
        fill_memory(instruction, first, op);
        if (is_register(second)) fill_reg(second, op);
        if constexpr (lock == Lock::Allowed) {
            if (instruction.has_lock() && is_immediate(second))
                return Engine::template handler<semantic, LockedMemory<T>, Immediate<T>>();
            if (instruction.has_lock())
                return Engine::template handler<semantic, LockedMemory<T>, Reg<T>>();
        }
        if (is_immediate(second))
            return Engine::template handler<semantic, Memory<T>, Immediate<T>>();
        return Engine::template handler<semantic, Memory<T>, Reg<T>>();
    });
}

// One register or memory operand.
template <class Engine, auto semantic, Lock lock = Lock::Allowed>
typename Engine::Handler unary(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& operand = instruction.operands[0];
    return with_any_width(operand.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(operand)) {
            fill_reg(operand, op);
            return Engine::template handler<semantic, Reg<T>>();
        }
        fill_memory(instruction, operand, op);
        if constexpr (lock == Lock::Allowed)
            if (instruction.has_lock())
                return Engine::template handler<semantic, LockedMemory<T>>();
        return Engine::template handler<semantic, Memory<T>>();
    });
}

// A register from a register or memory of the same width.
template <class Engine, auto semantic>
typename Engine::Handler register_from_any(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& source = instruction.operands[1];
    return with_wide_width(instruction.operands[0].size,
                           [&]<class T>() -> typename Engine::Handler {
                               fill_reg(instruction.operands[0], op);
                               if (is_register(source)) {
                                   fill_rm(source, op);
                                   return Engine::template handler<semantic, Reg<T>, Rm<T>>();
                               }
                               fill_memory(instruction, source, op);
                               return Engine::template handler<semantic, Reg<T>, Memory<T>>();
                           });
}

// Calls f.operator()<Stack, T>() with the stack kind of the code size and the operand width of a
// stack operation.
template <class F>
auto with_stack(const Instruction& instruction, F f) {
    using Result = decltype(f.template operator()<StackLegacy, std::uint16_t>());
    const unsigned width = instruction.decoded.operand_width;
    if (instruction.is_code64())
        return width == 64   ? f.template operator()<Stack64, std::uint64_t>()
               : width == 16 ? f.template operator()<Stack64, std::uint16_t>()
                             : Result {};
    return width == 32   ? f.template operator()<StackLegacy, std::uint32_t>()
           : width == 16 ? f.template operator()<StackLegacy, std::uint16_t>()
                         : Result {};
}

}  // namespace backplane::x86::forms
