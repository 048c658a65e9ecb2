// Forms of the moves, exchanges, LEA, conversions and flag moves.
#pragma once

#include "x86/doubled.h"
#include "x86/forms/condition.h"
#include "x86/forms/shapes.h"
#include "x86/semantics/move.h"

#include <algorithm>

namespace backplane::x86 {
namespace forms {

// Only general registers here; segment, control and debug registers are bound with the system
// instructions.
inline bool is_general(const ZydisDecodedOperand& operand) {
    if (!is_register(operand)) return true;
    switch (ZydisRegisterGetClass(operand.reg.value)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return true;
    default: return false;
    }
}

// MOV between general registers, memory and immediates; null for the other forms, which the system
// family binds.
template <class Engine>
typename Engine::Handler general_mov(const Instruction& instruction, Op& op) {
    if (!is_general(instruction.operands[0]) || !is_general(instruction.operands[1]))
        return nullptr;
    return binary<Engine, semantics::mov, Lock::Refused>(instruction, op);
}

// A register from memory or memory from a register.
template <class Engine>
typename Engine::Handler movbe(const Instruction& instruction, Op& op) {
    const bool loads = is_register(instruction.operands[0]);
    fill_reg(instruction.operands[loads ? 0 : 1], op);
    fill_memory(instruction, instruction.operands[loads ? 1 : 0], op);
    return with_wide_width(instruction.operands[0].size, [&]<class T>() {
        return loads ? Engine::template handler<semantics::movbe, Reg<T>, Memory<T>>()
                     : Engine::template handler<semantics::movbe, Memory<T>, Reg<T>>();
    });
}

// MOVZX, MOVSX and MOVSXD: operands of two widths. A 16-bit MOVSXD just moves (SDM 2, MOVSXD), of a
// doubleword in memory (DecoderFeatures::amd_operands) the lower half.
template <class Engine, auto semantic>
typename Engine::Handler extend(const Instruction& instruction, Op& op) {
    using Handler = typename Engine::Handler;
    const ZydisDecodedOperand& source = instruction.operands[1];
    const unsigned width = is_register(source) ? std::min(source.size, instruction.operands[0].size)
                                               : source.size;
    fill_reg(instruction.operands[0], op);
    return with_wide_width(instruction.operands[0].size, [&]<class T>() -> Handler {
        return with_width<std::uint8_t, std::uint16_t, std::uint32_t>(
            width, [&]<class S>() -> Handler {
                if (is_memory(source)) {
                    fill_memory(instruction, source, op);
                    return Engine::template handler<semantic, Reg<T>, Memory<S>>();
                }
                if constexpr (sizeof(S) > sizeof(T)) {
                    return nullptr;
                } else {
                    fill_rm(source, op);
                    return Engine::template handler<semantic, Reg<T>, Rm<S>>();
                }
            });
    });
}

// SDM 2, XCHG: with memory the exchange is locked whether or not the prefix is there. The register
// may come first.
template <class Engine>
typename Engine::Handler xchg(const Instruction& instruction, Op& op) {
    const bool memory_first = is_memory(instruction.operands[0]);
    const ZydisDecodedOperand& place =
        instruction.operands[memory_first || !is_memory(instruction.operands[1]) ? 0 : 1];
    const ZydisDecodedOperand& other =
        instruction.operands[&place == &instruction.operands[0] ? 1 : 0];
    return with_any_width(place.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(place)) {
            fill_reg(place, op);
            fill_rm(other, op);
            return Engine::template handler<semantics::xchg, Reg<T>, Rm<T>>();
        }
        fill_memory(instruction, place, op);
        fill_reg(other, op);
        return Engine::template handler<semantics::xchg, LockedMemory<T>, Reg<T>>();
    });
}

// XADD and CMPXCHG: the source is always a register.
template <class Engine, auto semantic>
typename Engine::Handler exchange(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& place = instruction.operands[0];
    return with_any_width(place.size, [&]<class T>() -> typename Engine::Handler {
        if (is_register(place)) {
            fill_reg(place, op);
            fill_rm(instruction.operands[1], op);
            return Engine::template handler<semantic, Reg<T>, Rm<T>>();
        }
        fill_memory(instruction, place, op);
        fill_reg(instruction.operands[1], op);
        if (instruction.has_lock())
            return Engine::template handler<semantic, LockedMemory<T>, Reg<T>>();
        return Engine::template handler<semantic, Memory<T>, Reg<T>>();
    });
}

template <class Engine, class Whole, class Half>
typename Engine::Handler exchange_pair(const Instruction& instruction, Op& op) {
    fill_memory(instruction, instruction.operands[0], op);
    if (instruction.has_lock())
        return Engine::template handler<semantics::cmpxchg_pair<Half>, LockedMemory<Whole>>();
    return Engine::template handler<semantics::cmpxchg_pair<Half>, Memory<Whole>>();
}

template <class Engine>
typename Engine::Handler lea(const Instruction& instruction, Op& op) {
    using Handler = typename Engine::Handler;
    fill_reg(instruction.operands[0], op);
    fill_memory(instruction, instruction.operands[1], op);
    return with_wide_width(instruction.operands[0].size, [&]<class T>() -> Handler {
        return with_wide_width(instruction.decoded.address_width, [&]<class A>() -> Handler {
            return Engine::template handler<semantics::mov, Reg<T>, EffectiveAddress<T, A>>();
        });
    });
}

template <class Engine, Condition condition>
typename Engine::Handler set_byte(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& operand = instruction.operands[0];
    if (is_register(operand)) {
        fill_reg(operand, op);
        return Engine::template handler<semantics::setcc<condition>, Reg<std::uint8_t>>();
    }
    fill_memory(instruction, operand, op);
    return Engine::template handler<semantics::setcc<condition>, Memory<std::uint8_t>>();
}

}  // namespace forms

template <class Engine>
void register_move(FormTable<Engine>& table) {
    using namespace forms;
    using u8 = std::uint8_t;
    using u16 = std::uint16_t;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    table[ZYDIS_MNEMONIC_MOV] = general_mov<Engine>;
    table[ZYDIS_MNEMONIC_MOVNTI] = binary<Engine, semantics::mov, Lock::Refused>;
    table[ZYDIS_MNEMONIC_MOVBE] = movbe<Engine>;
    table[ZYDIS_MNEMONIC_MOVZX] = extend<Engine, semantics::mov>;
    table[ZYDIS_MNEMONIC_MOVSX] = extend<Engine, semantics::movsx>;
    table[ZYDIS_MNEMONIC_MOVSXD] = extend<Engine, semantics::movsx>;
    table[ZYDIS_MNEMONIC_LEA] = lea<Engine>;
    table[ZYDIS_MNEMONIC_XCHG] = xchg<Engine>;
    table[ZYDIS_MNEMONIC_XADD] = exchange<Engine, semantics::xadd>;
    table[ZYDIS_MNEMONIC_CMPXCHG] = exchange<Engine, semantics::cmpxchg>;
    table[ZYDIS_MNEMONIC_CMPXCHG8B] = exchange_pair<Engine, u64, u32>;
    table[ZYDIS_MNEMONIC_CMPXCHG16B] = exchange_pair<Engine, Doubled<u64>::Unsigned, u64>;

    for_each_condition([&]<Condition condition>() {
        table[mnemonic_for(moves, condition)] =
            register_from_any<Engine, semantics::cmov<condition>>;
        table[mnemonic_for(sets, condition)] = set_byte<Engine, condition>;
    });

    table[ZYDIS_MNEMONIC_CBW] = plain<Engine, semantics::widen_accumulator<u16, u8>>;
    table[ZYDIS_MNEMONIC_CWDE] = plain<Engine, semantics::widen_accumulator<u32, u16>>;
    table[ZYDIS_MNEMONIC_CDQE] = plain<Engine, semantics::widen_accumulator<u64, u32>>;
    table[ZYDIS_MNEMONIC_CWD] = plain<Engine, semantics::sign_to_data<u16>>;
    table[ZYDIS_MNEMONIC_CDQ] = plain<Engine, semantics::sign_to_data<u32>>;
    table[ZYDIS_MNEMONIC_CQO] = plain<Engine, semantics::sign_to_data<u64>>;

    table[ZYDIS_MNEMONIC_LAHF] = plain<Engine, semantics::lahf>;
    table[ZYDIS_MNEMONIC_SAHF] = plain<Engine, semantics::sahf>;
    table[ZYDIS_MNEMONIC_SALC] = plain<Engine, semantics::salc>;
    table[ZYDIS_MNEMONIC_CLC] = plain<Engine, semantics::clc>;
    table[ZYDIS_MNEMONIC_STC] = plain<Engine, semantics::stc>;
    table[ZYDIS_MNEMONIC_CMC] = plain<Engine, semantics::cmc>;
    table[ZYDIS_MNEMONIC_CLD] = plain<Engine, semantics::cld>;
    table[ZYDIS_MNEMONIC_STD] = plain<Engine, semantics::std_>;

    table[ZYDIS_MNEMONIC_NOP] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PAUSE] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCH] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHNTA] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHT0] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHT1] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHT2] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHW] = plain<Engine, semantics::nop>;
    table[ZYDIS_MNEMONIC_PREFETCHWT1] = plain<Engine, semantics::nop>;
}

}  // namespace backplane::x86
