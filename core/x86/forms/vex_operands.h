// The binders that VEX-encoded vector instructions share: operand fields, and the choice between
// XMM and YMM, registers and memory.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/vex_operand.h"

namespace backplane::x86::forms {

// EVEX and XOP share mnemonics with VEX; no CPU model has them.
inline bool is_vex(const Instruction& instruction) {
    return instruction.decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX;
}
inline bool is_ymm_wide(const Instruction& instruction) {
    return instruction.decoded.avx.vector_length == 256;
}

inline std::uint8_t vex_register(const ZydisDecodedOperand& operand) {
    const ZydisRegisterClass kind = ZydisRegisterGetClass(operand.reg.value);
    const bool vector = kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM;
    return vector ? register_number(operand.reg.value) : register_offset(operand.reg.value);
}

// By role: the destination is Op::reg; the last source that is not a fourth register, Op::rm or
// memory; the first source is in Op::extra, and is the destination where there is none apart. A
// store's source is Op::reg. False: not a VEX encoding.
inline bool fill_vex(const Instruction& instruction, Op& op) {
    if (!is_vex(instruction)) return false;
    std::array<std::uint8_t, 4> registers{};
    unsigned count = 0;
    for (unsigned i = 0; i < instruction.decoded.operand_count_visible; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (is_memory(operand)) fill_memory(instruction, operand, op);
        if (is_immediate(operand)) op.immediate = operand.imm.value.u;
        if (is_register(operand)) registers[count] = vex_register(operand);
        if (!is_immediate(operand)) ++count;
    }
    const bool stores = is_memory(instruction.operands[0]);
    const bool shifts_register = count == 2 && is_immediate(instruction.operands[2]) &&
                                 instruction.operands[0].encoding == ZYDIS_OPERAND_ENCODING_NDSNDD;
    op.reg = registers[stores ? 1 : 0];
    op.rm = registers[count == 2 ? 1 : 2];
    op.extra = vex_op::pack(registers[count >= 3 || shifts_register ? 1 : 0], registers[3]);
    return true;
}

inline bool has_memory(const Instruction& instruction) {
    return instruction.memory_operand() != nullptr;
}

// One form with registers and one with memory: semantic(Destination, Source or Place, Rest...).
template <class Engine, auto semantic, class Destination, class Source, class Place, class... Rest>
typename Engine::Handler vex_source(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    return has_memory(instruction)
               ? Engine::template handler<semantic, Destination, Place, Rest...>()
               : Engine::template handler<semantic, Destination, Source, Rest...>();
}

// XMM only. Place is the memory operand where it is less than a whole register.
template <class Engine, auto semantic, class Place = VexMemory<Bits128>, class... Rest>
typename Engine::Handler vex_xmm(const Instruction& instruction, Op& op) {
    if (is_ymm_wide(instruction)) return nullptr;
    return vex_source<Engine, semantic, VexTarget<Bits128>, VexRm<Bits128>, Place, Rest...>(
        instruction, op);
}

// A scalar in the low lane; VEX.L does not count.
template <class Engine, auto semantic, class T, class... Rest>
typename Engine::Handler vex_scalar(const Instruction& instruction, Op& op) {
    return vex_source<Engine, semantic, VexTarget<Bits128>, VexRm<Bits128>, VexMemory<T>, Rest...>(
        instruction, op);
}

template <class Engine, auto semantic, class... Rest>
typename Engine::Handler vex_ymm(const Instruction& instruction, Op& op) {
    if (!is_ymm_wide(instruction)) return nullptr;
    return vex_source<Engine, semantic, VexTarget<Bits256>, VexRm<Bits256>, VexMemory<Bits256>,
                      Rest...>(instruction, op);
}

// All of an XMM or a YMM register.
template <class Engine, auto semantic, class... Rest>
typename Engine::Handler vex_packed(const Instruction& instruction, Op& op) {
    return is_ymm_wide(instruction)
               ? vex_ymm<Engine, semantic, Rest...>(instruction, op)
               : vex_xmm<Engine, semantic, VexMemory<Bits128>, Rest...>(instruction, op);
}

template <class Engine, auto semantic>
typename Engine::Handler vex_packed_control(const Instruction& instruction, Op& op) {
    return vex_packed<Engine, semantic, Immediate<std::uint8_t>>(instruction, op);
}

// A general register from a vector register of either width.
template <class Engine, auto semantic>
typename Engine::Handler vex_mask(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    using General = Reg<std::uint32_t>;
    return is_ymm_wide(instruction) ? Engine::template handler<semantic, General, VexRm<Bits256>>()
                                    : Engine::template handler<semantic, General, VexRm<Bits128>>();
}

}  // namespace backplane::x86::forms
