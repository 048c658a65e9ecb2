// Forms of the packed integer instructions of MMX, SSE2, and of SSSE3 to SSE4.2 lane by lane.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/masked_destination.h"
#include "x86/semantics/vector_integer.h"

namespace backplane::x86 {
namespace forms {

// The count is a register or memory as wide as the first operand, or an immediate.
template <class Engine, auto semantic>
typename Engine::Handler vector_shift(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    if (!is_immediate(instruction.operands[1]))
        return either_source<Engine, semantic>(instruction, op);
    fill_vector_operands(instruction, op);
    return is_mmx(instruction.operands[0])
               ? Engine::template handler<semantic, MmxRm<Bits64>, Byte>()
               : Engine::template handler<semantic, XmmRm<Bits128>, Byte>();
}

template <class Engine, auto semantic>
typename Engine::Handler byte_shift(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return Engine::template handler<semantic, XmmRm<Bits128>, Immediate<std::uint8_t>>();
}

template <class Engine, auto semantic>
typename Engine::Handler mmx_shuffle(const Instruction& instruction, Op& op) {
    return mmx_source<Engine, semantic, Memory<Bits64>, Immediate<std::uint8_t>>(instruction, op);
}

// The MMX forms read only the half they use.
template <class Engine, auto semantic>
typename Engine::Handler interleave_low(const Instruction& instruction, Op& op) {
    return either_source<Engine, semantic, Memory<std::uint32_t>>(instruction, op);
}

template <class Engine, auto semantic>
typename Engine::Handler to_general_register(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_mmx(instruction.operands[1])
               ? Engine::template handler<semantic, Reg<std::uint32_t>, MmxRm<Bits64>>()
               : Engine::template handler<semantic, Reg<std::uint32_t>, XmmRm<Bits128>>();
}

template <class Engine>
typename Engine::Handler masked_move(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    op.extra = SegmentedStrings::pack(segment_number(instruction.operands[2].mem.segment),
                                      instruction.decoded.address_width, instruction.is_code64());
    return is_mmx(instruction.operands[0])
               ? Engine::template handler<semantics::masked_store, MmxReg<Bits64>, MmxRm<Bits64>,
                                          MaskedDestination>()
               : Engine::template handler<semantics::masked_store, XmmReg<Bits128>, XmmRm<Bits128>,
                                          MaskedDestination>();
}

}  // namespace forms

template <class Engine>
void register_vector_integer(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_PADDB] = either_source<Engine, semantics::paddb>;
    table[ZYDIS_MNEMONIC_PADDW] = either_source<Engine, semantics::paddw>;
    table[ZYDIS_MNEMONIC_PADDD] = either_source<Engine, semantics::paddd>;
    table[ZYDIS_MNEMONIC_PADDQ] = either_source<Engine, semantics::paddq>;
    table[ZYDIS_MNEMONIC_PSUBB] = either_source<Engine, semantics::psubb>;
    table[ZYDIS_MNEMONIC_PSUBW] = either_source<Engine, semantics::psubw>;
    table[ZYDIS_MNEMONIC_PSUBD] = either_source<Engine, semantics::psubd>;
    table[ZYDIS_MNEMONIC_PSUBQ] = either_source<Engine, semantics::psubq>;
    table[ZYDIS_MNEMONIC_PADDSB] = either_source<Engine, semantics::paddsb>;
    table[ZYDIS_MNEMONIC_PADDSW] = either_source<Engine, semantics::paddsw>;
    table[ZYDIS_MNEMONIC_PADDUSB] = either_source<Engine, semantics::paddusb>;
    table[ZYDIS_MNEMONIC_PADDUSW] = either_source<Engine, semantics::paddusw>;
    table[ZYDIS_MNEMONIC_PSUBSB] = either_source<Engine, semantics::psubsb>;
    table[ZYDIS_MNEMONIC_PSUBSW] = either_source<Engine, semantics::psubsw>;
    table[ZYDIS_MNEMONIC_PSUBUSB] = either_source<Engine, semantics::psubusb>;
    table[ZYDIS_MNEMONIC_PSUBUSW] = either_source<Engine, semantics::psubusw>;

    table[ZYDIS_MNEMONIC_PMULLW] = either_source<Engine, semantics::pmullw>;
    table[ZYDIS_MNEMONIC_PMULHW] = either_source<Engine, semantics::pmulhw>;
    table[ZYDIS_MNEMONIC_PMULHUW] = either_source<Engine, semantics::pmulhuw>;
    table[ZYDIS_MNEMONIC_PMULUDQ] = either_source<Engine, semantics::pmuludq>;
    table[ZYDIS_MNEMONIC_PMADDWD] = either_source<Engine, semantics::pmaddwd>;
    table[ZYDIS_MNEMONIC_PSADBW] = either_source<Engine, semantics::psadbw>;
    table[ZYDIS_MNEMONIC_PAVGB] = either_source<Engine, semantics::pavgb>;
    table[ZYDIS_MNEMONIC_PAVGW] = either_source<Engine, semantics::pavgw>;
    table[ZYDIS_MNEMONIC_PMINUB] = either_source<Engine, semantics::pminub>;
    table[ZYDIS_MNEMONIC_PMAXUB] = either_source<Engine, semantics::pmaxub>;
    table[ZYDIS_MNEMONIC_PMINSW] = either_source<Engine, semantics::pminsw>;
    table[ZYDIS_MNEMONIC_PMAXSW] = either_source<Engine, semantics::pmaxsw>;
    table[ZYDIS_MNEMONIC_PABSB] = either_source<Engine, semantics::pabsb>;
    table[ZYDIS_MNEMONIC_PABSW] = either_source<Engine, semantics::pabsw>;
    table[ZYDIS_MNEMONIC_PABSD] = either_source<Engine, semantics::pabsd>;
    table[ZYDIS_MNEMONIC_PSIGNB] = either_source<Engine, semantics::psignb>;
    table[ZYDIS_MNEMONIC_PSIGNW] = either_source<Engine, semantics::psignw>;
    table[ZYDIS_MNEMONIC_PSIGND] = either_source<Engine, semantics::psignd>;
    table[ZYDIS_MNEMONIC_PMULHRSW] = either_source<Engine, semantics::pmulhrsw>;
    table[ZYDIS_MNEMONIC_PMULDQ] = xmm_source<Engine, semantics::pmuldq>;
    table[ZYDIS_MNEMONIC_PMULLD] = xmm_source<Engine, semantics::pmulld>;
    table[ZYDIS_MNEMONIC_PMINSB] = xmm_source<Engine, semantics::pminsb>;
    table[ZYDIS_MNEMONIC_PMAXSB] = xmm_source<Engine, semantics::pmaxsb>;
    table[ZYDIS_MNEMONIC_PMINUW] = xmm_source<Engine, semantics::pminuw>;
    table[ZYDIS_MNEMONIC_PMAXUW] = xmm_source<Engine, semantics::pmaxuw>;
    table[ZYDIS_MNEMONIC_PMINUD] = xmm_source<Engine, semantics::pminud>;
    table[ZYDIS_MNEMONIC_PMAXUD] = xmm_source<Engine, semantics::pmaxud>;
    table[ZYDIS_MNEMONIC_PMINSD] = xmm_source<Engine, semantics::pminsd>;
    table[ZYDIS_MNEMONIC_PMAXSD] = xmm_source<Engine, semantics::pmaxsd>;

    table[ZYDIS_MNEMONIC_PAND] = either_source<Engine, semantics::pand>;
    table[ZYDIS_MNEMONIC_PANDN] = either_source<Engine, semantics::pandn>;
    table[ZYDIS_MNEMONIC_POR] = either_source<Engine, semantics::por>;
    table[ZYDIS_MNEMONIC_PXOR] = either_source<Engine, semantics::pxor>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_ANDPS, ZYDIS_MNEMONIC_ANDPD})
        table[mnemonic] = xmm_source<Engine, semantics::pand>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_ANDNPS, ZYDIS_MNEMONIC_ANDNPD})
        table[mnemonic] = xmm_source<Engine, semantics::pandn>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_ORPS, ZYDIS_MNEMONIC_ORPD})
        table[mnemonic] = xmm_source<Engine, semantics::por>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_XORPS, ZYDIS_MNEMONIC_XORPD})
        table[mnemonic] = xmm_source<Engine, semantics::pxor>;

    table[ZYDIS_MNEMONIC_PCMPEQB] = either_source<Engine, semantics::pcmpeqb>;
    table[ZYDIS_MNEMONIC_PCMPEQW] = either_source<Engine, semantics::pcmpeqw>;
    table[ZYDIS_MNEMONIC_PCMPEQD] = either_source<Engine, semantics::pcmpeqd>;
    table[ZYDIS_MNEMONIC_PCMPEQQ] = xmm_source<Engine, semantics::pcmpeqq>;
    table[ZYDIS_MNEMONIC_PCMPGTB] = either_source<Engine, semantics::pcmpgtb>;
    table[ZYDIS_MNEMONIC_PCMPGTW] = either_source<Engine, semantics::pcmpgtw>;
    table[ZYDIS_MNEMONIC_PCMPGTD] = either_source<Engine, semantics::pcmpgtd>;
    table[ZYDIS_MNEMONIC_PCMPGTQ] = xmm_source<Engine, semantics::pcmpgtq>;
    table[ZYDIS_MNEMONIC_PTEST] = xmm_source<Engine, semantics::ptest>;

    table[ZYDIS_MNEMONIC_PACKSSWB] = either_source<Engine, semantics::packsswb>;
    table[ZYDIS_MNEMONIC_PACKSSDW] = either_source<Engine, semantics::packssdw>;
    table[ZYDIS_MNEMONIC_PACKUSWB] = either_source<Engine, semantics::packuswb>;
    table[ZYDIS_MNEMONIC_PACKUSDW] = xmm_source<Engine, semantics::packusdw>;
    table[ZYDIS_MNEMONIC_PUNPCKLBW] = interleave_low<Engine, semantics::punpcklbw>;
    table[ZYDIS_MNEMONIC_PUNPCKLWD] = interleave_low<Engine, semantics::punpcklwd>;
    table[ZYDIS_MNEMONIC_PUNPCKLDQ] = interleave_low<Engine, semantics::punpckldq>;
    table[ZYDIS_MNEMONIC_PUNPCKLQDQ] = xmm_source<Engine, semantics::punpcklqdq>;
    table[ZYDIS_MNEMONIC_PUNPCKHBW] = either_source<Engine, semantics::punpckhbw>;
    table[ZYDIS_MNEMONIC_PUNPCKHWD] = either_source<Engine, semantics::punpckhwd>;
    table[ZYDIS_MNEMONIC_PUNPCKHDQ] = either_source<Engine, semantics::punpckhdq>;
    table[ZYDIS_MNEMONIC_PUNPCKHQDQ] = xmm_source<Engine, semantics::punpckhqdq>;
    table[ZYDIS_MNEMONIC_UNPCKLPS] = xmm_source<Engine, semantics::punpckldq>;
    table[ZYDIS_MNEMONIC_UNPCKHPS] = xmm_source<Engine, semantics::punpckhdq>;
    table[ZYDIS_MNEMONIC_UNPCKLPD] = xmm_source<Engine, semantics::punpcklqdq>;
    table[ZYDIS_MNEMONIC_UNPCKHPD] = xmm_source<Engine, semantics::punpckhqdq>;

    table[ZYDIS_MNEMONIC_PSLLW] = vector_shift<Engine, semantics::psllw>;
    table[ZYDIS_MNEMONIC_PSLLD] = vector_shift<Engine, semantics::pslld>;
    table[ZYDIS_MNEMONIC_PSLLQ] = vector_shift<Engine, semantics::psllq>;
    table[ZYDIS_MNEMONIC_PSRLW] = vector_shift<Engine, semantics::psrlw>;
    table[ZYDIS_MNEMONIC_PSRLD] = vector_shift<Engine, semantics::psrld>;
    table[ZYDIS_MNEMONIC_PSRLQ] = vector_shift<Engine, semantics::psrlq>;
    table[ZYDIS_MNEMONIC_PSRAW] = vector_shift<Engine, semantics::psraw>;
    table[ZYDIS_MNEMONIC_PSRAD] = vector_shift<Engine, semantics::psrad>;
    table[ZYDIS_MNEMONIC_PSLLDQ] = byte_shift<Engine, semantics::pslldq>;
    table[ZYDIS_MNEMONIC_PSRLDQ] = byte_shift<Engine, semantics::psrldq>;

    table[ZYDIS_MNEMONIC_PSHUFD] = xmm_source_control<Engine, semantics::pshufd>;
    table[ZYDIS_MNEMONIC_PSHUFLW] = xmm_source_control<Engine, semantics::pshuflw>;
    table[ZYDIS_MNEMONIC_PSHUFHW] = xmm_source_control<Engine, semantics::pshufhw>;
    table[ZYDIS_MNEMONIC_PSHUFW] = mmx_shuffle<Engine, semantics::pshufw>;
    table[ZYDIS_MNEMONIC_PMOVMSKB] = to_general_register<Engine, semantics::pmovmskb>;
    table[ZYDIS_MNEMONIC_MOVMSKPS] = to_general_register<Engine, semantics::movmskps>;
    table[ZYDIS_MNEMONIC_MOVMSKPD] = to_general_register<Engine, semantics::movmskpd>;
    table[ZYDIS_MNEMONIC_MASKMOVQ] = masked_move<Engine>;
    table[ZYDIS_MNEMONIC_MASKMOVDQU] = masked_move<Engine>;
}

}  // namespace backplane::x86
