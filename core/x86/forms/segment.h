// Forms of the instructions that load, store and ask about segments and descriptor tables.
#pragma once

#include "x86/far_pointer.h"
#include "x86/forms/shapes.h"
#include "x86/semantics/segment.h"

namespace backplane::x86 {
namespace forms {

inline bool is_segment(const ZydisDecodedOperand& operand) {
    return is_register(operand) &&
           ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

// A selector is read as 16 bits from a register or memory.
template <class Engine, auto semantic, class... First>
typename Engine::Handler from_selector(const Instruction& instruction,
                                       const ZydisDecodedOperand& source, Op& op) {
    if (is_register(source)) {
        fill_rm(source, op);
        return Engine::template handler<semantic, First..., Rm<std::uint16_t>>();
    }
    fill_memory(instruction, source, op);
    return Engine::template handler<semantic, First..., Memory<std::uint16_t>>();
}

// A selector (or CR0's low half) is written to a register of any wide size, or as 16 bits to
// memory.
template <class Engine, auto semantic>
typename Engine::Handler to_selector(const Instruction& instruction,
                                     const ZydisDecodedOperand& target, Op& op) {
    if (is_memory(target)) {
        fill_memory(instruction, target, op);
        return Engine::template handler<semantic, Memory<std::uint16_t>>();
    }
    return with_wide_width(target.size, [&]<class T>() -> typename Engine::Handler {
        fill_rm(target, op);
        return Engine::template handler<semantic, Rm<T>>();
    });
}

template <class Engine>
typename Engine::Handler mov_segment(const Instruction& instruction, Op& op) {
    const ZydisDecodedOperand& first = instruction.operands[0];
    const ZydisDecodedOperand& second = instruction.operands[1];
    if (is_segment(first)) {
        op.reg = register_number(first.reg.value);
        return from_selector<Engine, semantics::load_segment>(instruction, second, op);
    }
    if (!is_segment(second)) return nullptr;
    op.reg = register_number(second.reg.value);
    return to_selector<Engine, semantics::store_segment>(instruction, first, op);
}

template <class Engine>
typename Engine::Handler push_segment(const Instruction& instruction, Op& op) {
    if (!is_segment(instruction.operands[0])) return nullptr;
    op.reg = register_number(instruction.operands[0].reg.value);
    return with_wide_width(instruction.decoded.operand_width,
                           []<class T>() -> typename Engine::Handler {
                               return Engine::template handler<semantics::push_segment<T>>();
                           });
}

template <class Engine>
typename Engine::Handler pop_segment(const Instruction& instruction, Op& op) {
    if (!is_segment(instruction.operands[0])) return nullptr;
    op.reg = register_number(instruction.operands[0].reg.value);
    return with_wide_width(instruction.decoded.operand_width,
                           []<class T>() -> typename Engine::Handler {
                               return Engine::template handler<semantics::pop_segment<T>>();
                           });
}

// LDS, LES, LFS, LGS, LSS.
template <class Engine, SegmentIndex segment>
typename Engine::Handler far_pointer_load(const Instruction& instruction, Op& op) {
    fill_reg(instruction.operands[0], op);
    fill_memory(instruction, instruction.operands[1], op);
    op.extra = segment;
    const bool is_long = !instruction.has_amd_operands;
    return with_wide_width(instruction.operands[0].size,
                           [&]<class T>() -> typename Engine::Handler {
                               using Offset = std::conditional_t<sizeof(T) == 8, std::uint32_t, T>;
                               if (is_long)
                                   return Engine::template handler<semantics::load_far_pointer,
                                                                   Reg<T>, FarMemory<T>>();
                               return Engine::template handler<semantics::load_far_pointer, Reg<T>,
                                                               FarMemory<Offset>>();
                           });
}

template <class Engine, DescriptorTableRegister CpuState::* table>
typename Engine::Handler table_load(const Instruction& instruction, Op& op) {
    using semantics::load_table;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    fill_memory(instruction, instruction.operands[0], op);
    if (instruction.is_code64())
        return Engine::template handler<load_table<table, u64, ~u64{0}>, Memory<u64>>();
    if (instruction.decoded.operand_width == 16)
        return Engine::template handler<load_table<table, u32, 0x00ffffff>, Memory<u32>>();
    return Engine::template handler<load_table<table, u32, 0xffffffff>, Memory<u32>>();
}

template <class Engine, DescriptorTableRegister CpuState::* table>
typename Engine::Handler table_store(const Instruction& instruction, Op& op) {
    using semantics::store_table;
    using u32 = std::uint32_t;
    using u64 = std::uint64_t;
    fill_memory(instruction, instruction.operands[0], op);
    if (instruction.is_code64())
        return Engine::template handler<store_table<table, u64>, Memory<u64>>();
    return Engine::template handler<store_table<table, u32>, Memory<u32>>();
}

template <class Engine, auto semantic>
typename Engine::Handler selector_source(const Instruction& instruction, Op& op) {
    return from_selector<Engine, semantic>(instruction, instruction.operands[0], op);
}

template <class Engine, auto semantic>
typename Engine::Handler selector_target(const Instruction& instruction, Op& op) {
    return to_selector<Engine, semantic>(instruction, instruction.operands[0], op);
}

// LAR and LSL: the source is a selector whatever size it is written with.
template <class Engine, auto semantic>
typename Engine::Handler selector_question(const Instruction& instruction, Op& op) {
    return with_wide_width(instruction.operands[0].size,
                           [&]<class T>() -> typename Engine::Handler {
                               fill_reg(instruction.operands[0], op);
                               return from_selector<Engine, semantic, Reg<T>>(
                                   instruction, instruction.operands[1], op);
                           });
}

template <class Engine>
typename Engine::Handler arpl(const Instruction& instruction, Op& op) {
    using u16 = std::uint16_t;
    fill_rm(instruction.operands[1], op);
    if (is_register(instruction.operands[0])) {
        fill_reg(instruction.operands[0], op);
        return Engine::template handler<semantics::arpl, Reg<u16>, Rm<u16>>();
    }
    fill_memory(instruction, instruction.operands[0], op);
    return Engine::template handler<semantics::arpl, Memory<u16>, Rm<u16>>();
}

}  // namespace forms

template <class Engine>
void register_segment(FormTable<Engine>& table) {
    using namespace forms;
    using semantics::Verify;
    table[ZYDIS_MNEMONIC_MOV] = mov_segment<Engine>;
    table[ZYDIS_MNEMONIC_PUSH] = push_segment<Engine>;
    table[ZYDIS_MNEMONIC_POP] = pop_segment<Engine>;
    table[ZYDIS_MNEMONIC_LDS] = far_pointer_load<Engine, DS>;
    table[ZYDIS_MNEMONIC_LES] = far_pointer_load<Engine, ES>;
    table[ZYDIS_MNEMONIC_LFS] = far_pointer_load<Engine, FS>;
    table[ZYDIS_MNEMONIC_LGS] = far_pointer_load<Engine, GS>;
    table[ZYDIS_MNEMONIC_LSS] = far_pointer_load<Engine, SS>;
    table[ZYDIS_MNEMONIC_LGDT] = table_load<Engine, &CpuState::gdtr>;
    table[ZYDIS_MNEMONIC_LIDT] = table_load<Engine, &CpuState::idtr>;
    table[ZYDIS_MNEMONIC_SGDT] = table_store<Engine, &CpuState::gdtr>;
    table[ZYDIS_MNEMONIC_SIDT] = table_store<Engine, &CpuState::idtr>;
    table[ZYDIS_MNEMONIC_LLDT] = selector_source<Engine, semantics::lldt>;
    table[ZYDIS_MNEMONIC_LTR] = selector_source<Engine, semantics::ltr>;
    table[ZYDIS_MNEMONIC_SLDT] =
        selector_target<Engine, semantics::store_system_selector<&CpuState::ldtr>>;
    table[ZYDIS_MNEMONIC_STR] =
        selector_target<Engine, semantics::store_system_selector<&CpuState::tr>>;
    table[ZYDIS_MNEMONIC_LAR] = selector_question<Engine, semantics::lar>;
    table[ZYDIS_MNEMONIC_LSL] = selector_question<Engine, semantics::lsl>;
    table[ZYDIS_MNEMONIC_VERR] =
        selector_source<Engine, semantics::verify_segment<Verify::Reading>>;
    table[ZYDIS_MNEMONIC_VERW] =
        selector_source<Engine, semantics::verify_segment<Verify::Writing>>;
    table[ZYDIS_MNEMONIC_ARPL] = arpl<Engine>;
}

}  // namespace backplane::x86
