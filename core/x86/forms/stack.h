// Forms of the stack instructions.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/stack.h"

namespace backplane::x86 {
namespace forms {

// General registers, memory and immediates; null for segment registers, which the system family
// binds.
template <class Engine>
typename Engine::Handler push(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& source = instruction.operands[0];
    return with_stack(instruction, [&]<class Stack, class T>() -> typename Engine::Handler {
        if (is_immediate(source)) {
            fill_immediate(source, op);
            return Engine::template handler<semantics::push, Stack, Immediate<T>>();
        }
        if (is_memory(source)) {
            fill_memory(instruction, source, op);
            return Engine::template handler<semantics::push, Stack, Memory<T>>();
        }
        if (ZydisRegisterGetClass(source.reg.value) == ZYDIS_REGCLASS_SEGMENT) return nullptr;
        fill_reg(source, op);
        return Engine::template handler<semantics::push, Stack, Reg<T>>();
    });
}

template <class Engine>
typename Engine::Handler pop(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& target = instruction.operands[0];
    return with_stack(instruction, [&]<class Stack, class T>() -> typename Engine::Handler {
        if (is_memory(target)) {
            fill_memory(instruction, target, op);
            return Engine::template handler<semantics::pop, Stack, Memory<T>>();
        }
        if (ZydisRegisterGetClass(target.reg.value) == ZYDIS_REGCLASS_SEGMENT) return nullptr;
        fill_reg(target, op);
        return Engine::template handler<semantics::pop, Stack, Reg<T>>();
    });
}

template <class Engine>
typename Engine::Handler enter(const Instruction& instruction, Op& op) {
    op.immediate = instruction.operands[0].imm.value.u;
    op.extra = static_cast<std::uint32_t>(instruction.operands[1].imm.value.u);
    return with_stack(instruction, []<class Stack, class T>() -> typename Engine::Handler {
        return Engine::template handler<semantics::enter<T>, Stack>();
    });
}

template <class Engine>
typename Engine::Handler leave(const Instruction& instruction, Op&) {
    return with_stack(instruction, []<class Stack, class T>() -> typename Engine::Handler {
        return Engine::template handler<semantics::leave<T>, Stack>();
    });
}

// The mnemonic tells the width; the stack kind follows the code size.
template <class Engine, auto semantic>
typename Engine::Handler on_stack(const Instruction& instruction, Op&) {
    if (instruction.is_code64()) return Engine::template handler<semantic, Stack64>();
    return Engine::template handler<semantic, StackLegacy>();
}

}  // namespace forms

template <class Engine>
void register_stack(FormTable<Engine>& table) {
    using namespace forms;
    using u16 = std::uint16_t;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    table[ZYDIS_MNEMONIC_PUSH] = push<Engine>;
    table[ZYDIS_MNEMONIC_POP] = pop<Engine>;
    table[ZYDIS_MNEMONIC_ENTER] = enter<Engine>;
    table[ZYDIS_MNEMONIC_LEAVE] = leave<Engine>;
    table[ZYDIS_MNEMONIC_PUSHA] = on_stack<Engine, semantics::pusha<u16>>;
    table[ZYDIS_MNEMONIC_PUSHAD] = on_stack<Engine, semantics::pusha<u32>>;
    table[ZYDIS_MNEMONIC_POPA] = on_stack<Engine, semantics::popa<u16>>;
    table[ZYDIS_MNEMONIC_POPAD] = on_stack<Engine, semantics::popa<u32>>;
    table[ZYDIS_MNEMONIC_PUSHF] = on_stack<Engine, semantics::pushf<u16>>;
    table[ZYDIS_MNEMONIC_PUSHFD] = on_stack<Engine, semantics::pushf<u32>>;
    table[ZYDIS_MNEMONIC_PUSHFQ] = on_stack<Engine, semantics::pushf<u64>>;
    table[ZYDIS_MNEMONIC_POPF] = on_stack<Engine, semantics::popf<u16>>;
    table[ZYDIS_MNEMONIC_POPFD] = on_stack<Engine, semantics::popf<u32>>;
    table[ZYDIS_MNEMONIC_POPFQ] = on_stack<Engine, semantics::popf<u64>>;
}

}  // namespace backplane::x86
