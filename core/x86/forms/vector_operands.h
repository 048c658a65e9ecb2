// The binders that MMX and SSE instructions share: operand fields, and the choice between registers
// and memory.
#pragma once

#include "x86/forms/operands.h"
#include "x86/vector_operand.h"

namespace backplane::x86::forms {

inline bool has_class(const ZydisDecodedOperand& operand, ZydisRegisterClass wanted) {
    return is_register(operand) && ZydisRegisterGetClass(operand.reg.value) == wanted;
}
inline bool is_xmm(const ZydisDecodedOperand& operand) {
    return has_class(operand, ZYDIS_REGCLASS_XMM);
}
inline bool is_mmx(const ZydisDecodedOperand& operand) {
    return has_class(operand, ZYDIS_REGCLASS_MMX);
}

// Every visible operand goes where its encoding says: ModRM.reg to Op::reg, ModRM.rm to Op::rm, and
// so on.
inline void fill_vector_operands(const Instruction& instruction, Op& op) {
    for (unsigned i = 0; i < instruction.decoded.operand_count_visible; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (is_memory(operand)) fill_memory(instruction, operand, op);
        if (is_immediate(operand)) op.immediate = operand.imm.value.u;
        if (!is_register(operand)) continue;
        const bool number = is_xmm(operand) || is_mmx(operand);
        const std::uint8_t field = number ? register_number(operand.reg.value)
                                          : register_offset(operand.reg.value);
        (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM ? op.rm : op.reg) = field;
    }
}

// xmm, xmm or memory. The legacy packed forms want their memory aligned; Source names it where it
// is less.
template <class Engine, auto semantic, class Source = AlignedMemory<Bits128>, class... Rest>
typename Engine::Handler xmm_source(const Instruction& instruction, Op& op) {
    if (!is_xmm(instruction.operands[0])) return nullptr;
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[1])
               ? Engine::template handler<semantic, XmmReg<Bits128>, Source, Rest...>()
               : Engine::template handler<semantic, XmmReg<Bits128>, XmmRm<Bits128>, Rest...>();
}

// The same with a control byte behind.
template <class Engine, auto semantic, class Source = AlignedMemory<Bits128>>
typename Engine::Handler xmm_source_control(const Instruction& instruction, Op& op) {
    return xmm_source<Engine, semantic, Source, Immediate<std::uint8_t>>(instruction, op);
}

// mm, mm or memory.
template <class Engine, auto semantic, class Source = Memory<Bits64>, class... Rest>
typename Engine::Handler mmx_source(const Instruction& instruction, Op& op) {
    if (!is_mmx(instruction.operands[0])) return nullptr;
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[1])
               ? Engine::template handler<semantic, MmxReg<Bits64>, Source, Rest...>()
               : Engine::template handler<semantic, MmxReg<Bits64>, MmxRm<Bits64>, Rest...>();
}

// An instruction of both register files, with one mnemonic.
template <class Engine, auto semantic, class MmxSource = Memory<Bits64>>
typename Engine::Handler either_source(const Instruction& instruction, Op& op) {
    if (is_mmx(instruction.operands[0]))
        return mmx_source<Engine, semantic, MmxSource>(instruction, op);
    return xmm_source<Engine, semantic>(instruction, op);
}

}  // namespace backplane::x86::forms
