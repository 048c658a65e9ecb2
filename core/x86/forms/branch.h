// Forms of the near branches, and of instructions fused with the conditional branch behind them.
#pragma once

#include "x86/forms/condition.h"
#include "x86/forms/logic.h"
#include "x86/forms/shapes.h"
#include "x86/semantics/arithmetic.h"
#include "x86/semantics/branch.h"

namespace backplane::x86 {
namespace forms {

inline bool is_far(const Instruction& instruction) {
    return instruction.decoded.meta.branch_type == ZYDIS_BRANCH_TYPE_FAR;
}

// Whether a prefix makes a near branch of 64-bit code 16 bits wide. Zydis tells so of relative ones
// only.
inline bool is_narrowed(const Instruction& instruction) {
    return instruction.has_amd_operands && instruction.is_code64() &&
           instruction.has(ZYDIS_ATTRIB_HAS_OPERANDSIZE) && !instruction.decoded.raw.rex.W;
}

// Calls f.operator()<Stack, T>() with the stack kind of the code size and the width of the
// instruction pointer.
template <class F>
auto with_ip_width(const Instruction& instruction, F f) {
    const unsigned width = instruction.decoded.operand_width;
    if (instruction.is_code64())
        return is_narrowed(instruction) ? f.template operator()<Stack64, std::uint16_t>()
                                        : f.template operator()<Stack64, std::uint64_t>();
    if (width == 32) return f.template operator()<StackLegacy, std::uint32_t>();
    return f.template operator()<StackLegacy, std::uint16_t>();
}

inline std::uint64_t distance_from_block(const Instruction& instruction) {
    return branch_target(instruction).value_or(0) - instruction.block_ip;
}

template <class Stack, class T>
using RelativeTargetIn = std::conditional_t<std::is_same_v<Stack, Stack64> && sizeof(T) == 2,
                                            TruncatedTarget, RelativeTarget<T>>;

// JMP and CALL, near: relative or through a register or memory. `First` is the stack for CALL
// and nothing for JMP.
template <class Engine, auto semantic, class Stack, class T, class... First>
typename Engine::Handler near_target(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& target = instruction.operands[0];
    if (is_immediate(target)) {
        op.immediate = distance_from_block(instruction);
        return Engine::template handler<semantic, First..., RelativeTargetIn<Stack, T>>();
    }
    if (is_register(target)) {
        fill_reg(target, op);
        return Engine::template handler<semantic, First..., Reg<T>>();
    }
    fill_memory(instruction, target, op);
    return Engine::template handler<semantic, First..., Memory<T>>();
}

template <class Engine>
typename Engine::Handler jmp(const Instruction& instruction, Op& op) {
    if (is_far(instruction)) return nullptr;
    return with_ip_width(instruction, [&]<class Stack, class T>() {
        return near_target<Engine, semantics::jmp, Stack, T>(instruction, op);
    });
}

template <class Engine>
typename Engine::Handler call(const Instruction& instruction, Op& op) {
    if (is_far(instruction)) return nullptr;
    return with_ip_width(instruction, [&]<class Stack, class T>() {
        return near_target<Engine, semantics::call, Stack, T, Stack>(instruction, op);
    });
}

template <class Engine>
typename Engine::Handler ret(const Instruction& instruction, Op& op) {
    if (is_far(instruction)) return nullptr;
    if (instruction.decoded.operand_count_visible == 1) fill_immediate(instruction.operands[0], op);
    return with_ip_width(instruction, []<class Stack, class T>() {
        return Engine::template handler<semantics::ret<T>, Stack>();
    });
}

template <class Engine, Condition condition>
typename Engine::Handler conditional_jump(const Instruction& instruction, Op& op) {
    op.immediate = distance_from_block(instruction);
    return with_ip_width(instruction, []<class Stack, class T>() {
        return Engine::template handler<semantics::jcc<condition>, RelativeTargetIn<Stack, T>>();
    });
}

// JCXZ and LOOP count in CX, ECX or RCX after the address size.
template <class Engine, auto semantic>
typename Engine::Handler counted_branch(const Instruction& instruction, Op& op) {
    op.immediate = distance_from_block(instruction);
    return with_ip_width(instruction, [&]<class Stack, class T>() {
        return with_wide_width(instruction.decoded.address_width, [&]<class A>() {
            return Engine::template handler<semantic, Counter<A>, RelativeTargetIn<Stack, T>>();
        });
    });
}

// CMP or TEST, and a Jcc.
template <class Engine, Condition condition>
typename Engine::Handler compare_and_branch(const Instruction& comparison, Op& op) {
    using Handler = typename Engine::Handler;
    const ZydisDecodedOperand& first = comparison.operands[0];
    const ZydisDecodedOperand& second = comparison.operands[1];
    if (is_immediate(second)) fill_immediate(second, op);
    if (is_memory(first)) fill_memory(comparison, first, op);
    if (is_memory(second)) fill_memory(comparison, second, op);
    if (is_register(first)) fill_reg(first, op);
    if (is_register(second)) (is_register(first) ? fill_rm : fill_reg)(second, op);

    const auto choose = [&]<auto semantic, class T>() -> Handler {
        using Target = FusedTarget<std::uint64_t>;
        if (is_register(first) && is_register(second))
            return Engine::template handler<semantic, Reg<T>, Rm<T>, Target>();
        if (is_register(first) && is_immediate(second))
            return Engine::template handler<semantic, Reg<T>, Immediate<T>, Target>();
        if (is_register(first))
            return Engine::template handler<semantic, Reg<T>, Memory<T>, Target>();
        if (is_immediate(second))
            return Engine::template handler<semantic, Memory<T>, Immediate<T>, Target>();
        return Engine::template handler<semantic, Memory<T>, Reg<T>, Target>();
    };
    return with_any_width(first.size, [&]<class T>() -> Handler {
        return comparison.mnemonic() == ZYDIS_MNEMONIC_CMP
                   ? choose.template operator()<semantics::compare_and_branch<condition>, T>()
                   : choose.template operator()<semantics::test_and_branch<condition>, T>();
    });
}

// What programs ask of a result that they go on with.
constexpr bool is_asked_of_results(Condition condition) {
    using enum Condition;
    return condition == E || condition == NE || condition == B || condition == AE ||
           condition == S || condition == NS;
}

// An instruction with a register of 32 or 64 bits as its destination, and a Jcc.
template <class Engine, Condition condition>
typename Engine::Handler compute_and_branch(const Instruction& instruction, Op& op) {
    using Handler = typename Engine::Handler;
    using Target = FusedTarget<std::uint64_t>;
    const ZydisDecodedOperand& first = instruction.operands[0];
    const ZydisDecodedOperand& second = instruction.operands[1];
    if (!is_register(first)) return nullptr;
    fill_reg(first, op);
    return with_width<std::uint32_t, std::uint64_t>(first.size, [&]<class T>() -> Handler {
        const auto alone = [&]<auto semantic>() -> Handler {
            constexpr auto fused = semantics::compute_and_branch<semantic, condition>;
            return Engine::template handler<fused, Target, Reg<T>>();
        };
        const auto with_source = [&]<auto semantic>() -> Handler {
            constexpr auto fused = semantics::compute_and_branch<semantic, condition>;
            if (is_immediate(second)) {
                fill_immediate(second, op);
                return Engine::template handler<fused, Target, Reg<T>, Immediate<T>>();
            }
            if (!is_register(second)) return nullptr;
            fill_rm(second, op);
            return Engine::template handler<fused, Target, Reg<T>, Rm<T>>();
        };
        if (is_clear(instruction)) return alone.template operator()<semantics::clear>();
        switch (instruction.mnemonic()) {
        case ZYDIS_MNEMONIC_INC: return alone.template operator()<semantics::inc>();
        case ZYDIS_MNEMONIC_DEC: return alone.template operator()<semantics::dec>();
        case ZYDIS_MNEMONIC_ADD: return with_source.template operator()<semantics::add>();
        case ZYDIS_MNEMONIC_SUB: return with_source.template operator()<semantics::sub>();
        case ZYDIS_MNEMONIC_AND: return with_source.template operator()<semantics::and_>();
        case ZYDIS_MNEMONIC_OR: return with_source.template operator()<semantics::or_>();
        case ZYDIS_MNEMONIC_XOR: return with_source.template operator()<semantics::xor_>();
        default: return nullptr;
        }
    });
}

// Fills the op for an instruction and the Jcc right behind it as one. Null when the pair has no
// fused form; then bind the two apart. A fault is the first one's; the op's length covers both.
template <class Engine>
typename Engine::Handler bind_fused(const Instruction& first, const Instruction& jump, Op& op) {
    using Handler = typename Engine::Handler;
    const auto condition = condition_of_jump(jump);
    if (!condition || !first.is_code64() || is_narrowed(jump)) return nullptr;
    const auto distance = static_cast<std::int64_t>(distance_from_block(jump));
    if (distance != static_cast<std::int32_t>(distance)) return nullptr;
    op.length = static_cast<std::uint8_t>(first.decoded.length + jump.decoded.length);
    op.offset = static_cast<std::uint16_t>(first.ip - first.block_ip);
    op.extra = static_cast<std::uint32_t>(distance);

    const bool compares = first.mnemonic() == ZYDIS_MNEMONIC_CMP ||
                          first.mnemonic() == ZYDIS_MNEMONIC_TEST;
    Handler handler = nullptr;
    for_each_condition([&]<Condition candidate>() {
        if (*condition != candidate) return;
        if (compares)
            handler = compare_and_branch<Engine, candidate>(first, op);
        else if constexpr (is_asked_of_results(candidate))
            handler = compute_and_branch<Engine, candidate>(first, op);
    });
    return handler;
}

}  // namespace forms

template <class Engine>
void register_branch(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_JMP] = jmp<Engine>;
    table[ZYDIS_MNEMONIC_CALL] = call<Engine>;
    table[ZYDIS_MNEMONIC_RET] = ret<Engine>;
    for_each_condition([&]<Condition condition>() {
        table[mnemonic_for(jumps, condition)] = conditional_jump<Engine, condition>;
    });
    table[ZYDIS_MNEMONIC_JCXZ] = counted_branch<Engine, semantics::jcxz>;
    table[ZYDIS_MNEMONIC_JECXZ] = counted_branch<Engine, semantics::jcxz>;
    table[ZYDIS_MNEMONIC_JRCXZ] = counted_branch<Engine, semantics::jcxz>;
    table[ZYDIS_MNEMONIC_LOOP] = counted_branch<Engine, semantics::loop>;
    table[ZYDIS_MNEMONIC_LOOPE] = counted_branch<Engine, semantics::loope>;
    table[ZYDIS_MNEMONIC_LOOPNE] = counted_branch<Engine, semantics::loopne>;
}

}  // namespace backplane::x86
