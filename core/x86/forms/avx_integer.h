// VEX forms of the packed integer and logical instructions: AVX for XMM registers, AVX2 for YMM.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/masked_destination.h"
#include "x86/semantics/vector_integer.h"

namespace backplane::x86 {
namespace forms {

// The count is an XMM register, memory of that width, or an immediate.
template <class Engine, auto semantic>
typename Engine::Handler vex_shift(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    const auto of_width = [&]<class Bits> {
        using Target = VexTarget<Bits>;
        if (is_immediate(instruction.operands[2]))
            return Engine::template handler<semantic, Target, Immediate<std::uint8_t>>();
        return has_memory(instruction)
                   ? Engine::template handler<semantic, Target, VexMemory<Bits128>>()
                   : Engine::template handler<semantic, Target, VexRm<Bits128>>();
    };
    return is_ymm_wide(instruction) ? of_width.template operator()<Bits256>()
                                    : of_width.template operator()<Bits128>();
}

template <class Engine, auto semantic>
typename Engine::Handler vex_byte_shift(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    using Byte = Immediate<std::uint8_t>;
    return is_ymm_wide(instruction)
               ? Engine::template handler<semantic, VexTarget<Bits256>, Byte>()
               : Engine::template handler<semantic, VexTarget<Bits128>, Byte>();
}

template <class Engine>
typename Engine::Handler vex_masked_move(const Instruction& instruction, Op& op) {
    if (!is_vex(instruction)) return nullptr;
    op.reg = register_number(instruction.operands[0].reg.value);
    op.rm = register_number(instruction.operands[1].reg.value);
    op.extra = SegmentedStrings::pack(segment_number(instruction.operands[2].mem.segment),
                                      instruction.decoded.address_width, instruction.is_code64());
    return Engine::template handler<semantics::masked_store, VexReg<Bits128>, VexRm<Bits128>,
                                    MaskedDestination>();
}

template <class Engine>
void register_avx_integer_arithmetic(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_VPADDB] = vex_packed<Engine, semantics::paddb>;
    table[ZYDIS_MNEMONIC_VPADDW] = vex_packed<Engine, semantics::paddw>;
    table[ZYDIS_MNEMONIC_VPADDD] = vex_packed<Engine, semantics::paddd>;
    table[ZYDIS_MNEMONIC_VPADDQ] = vex_packed<Engine, semantics::paddq>;
    table[ZYDIS_MNEMONIC_VPSUBB] = vex_packed<Engine, semantics::psubb>;
    table[ZYDIS_MNEMONIC_VPSUBW] = vex_packed<Engine, semantics::psubw>;
    table[ZYDIS_MNEMONIC_VPSUBD] = vex_packed<Engine, semantics::psubd>;
    table[ZYDIS_MNEMONIC_VPSUBQ] = vex_packed<Engine, semantics::psubq>;
    table[ZYDIS_MNEMONIC_VPADDSB] = vex_packed<Engine, semantics::paddsb>;
    table[ZYDIS_MNEMONIC_VPADDSW] = vex_packed<Engine, semantics::paddsw>;
    table[ZYDIS_MNEMONIC_VPADDUSB] = vex_packed<Engine, semantics::paddusb>;
    table[ZYDIS_MNEMONIC_VPADDUSW] = vex_packed<Engine, semantics::paddusw>;
    table[ZYDIS_MNEMONIC_VPSUBSB] = vex_packed<Engine, semantics::psubsb>;
    table[ZYDIS_MNEMONIC_VPSUBSW] = vex_packed<Engine, semantics::psubsw>;
    table[ZYDIS_MNEMONIC_VPSUBUSB] = vex_packed<Engine, semantics::psubusb>;
    table[ZYDIS_MNEMONIC_VPSUBUSW] = vex_packed<Engine, semantics::psubusw>;
    table[ZYDIS_MNEMONIC_VPMULLW] = vex_packed<Engine, semantics::pmullw>;
    table[ZYDIS_MNEMONIC_VPMULHW] = vex_packed<Engine, semantics::pmulhw>;
    table[ZYDIS_MNEMONIC_VPMULHUW] = vex_packed<Engine, semantics::pmulhuw>;
    table[ZYDIS_MNEMONIC_VPMULUDQ] = vex_packed<Engine, semantics::pmuludq>;
    table[ZYDIS_MNEMONIC_VPMADDWD] = vex_packed<Engine, semantics::pmaddwd>;
    table[ZYDIS_MNEMONIC_VPSADBW] = vex_packed<Engine, semantics::psadbw>;
    table[ZYDIS_MNEMONIC_VPAVGB] = vex_packed<Engine, semantics::pavgb>;
    table[ZYDIS_MNEMONIC_VPAVGW] = vex_packed<Engine, semantics::pavgw>;
    table[ZYDIS_MNEMONIC_VPMINUB] = vex_packed<Engine, semantics::pminub>;
    table[ZYDIS_MNEMONIC_VPMAXUB] = vex_packed<Engine, semantics::pmaxub>;
    table[ZYDIS_MNEMONIC_VPMINSW] = vex_packed<Engine, semantics::pminsw>;
    table[ZYDIS_MNEMONIC_VPMAXSW] = vex_packed<Engine, semantics::pmaxsw>;
    table[ZYDIS_MNEMONIC_VPCMPEQB] = vex_packed<Engine, semantics::pcmpeqb>;
    table[ZYDIS_MNEMONIC_VPCMPEQW] = vex_packed<Engine, semantics::pcmpeqw>;
    table[ZYDIS_MNEMONIC_VPCMPEQD] = vex_packed<Engine, semantics::pcmpeqd>;
    table[ZYDIS_MNEMONIC_VPCMPGTB] = vex_packed<Engine, semantics::pcmpgtb>;
    table[ZYDIS_MNEMONIC_VPCMPGTW] = vex_packed<Engine, semantics::pcmpgtw>;
    table[ZYDIS_MNEMONIC_VPCMPGTD] = vex_packed<Engine, semantics::pcmpgtd>;
    table[ZYDIS_MNEMONIC_VPABSB] = vex_packed<Engine, semantics::pabsb>;
    table[ZYDIS_MNEMONIC_VPABSW] = vex_packed<Engine, semantics::pabsw>;
    table[ZYDIS_MNEMONIC_VPABSD] = vex_packed<Engine, semantics::pabsd>;
    table[ZYDIS_MNEMONIC_VPSIGNB] = vex_packed<Engine, semantics::psignb>;
    table[ZYDIS_MNEMONIC_VPSIGNW] = vex_packed<Engine, semantics::psignw>;
    table[ZYDIS_MNEMONIC_VPSIGND] = vex_packed<Engine, semantics::psignd>;
    table[ZYDIS_MNEMONIC_VPMULHRSW] = vex_packed<Engine, semantics::pmulhrsw>;
    table[ZYDIS_MNEMONIC_VPMULDQ] = vex_packed<Engine, semantics::pmuldq>;
    table[ZYDIS_MNEMONIC_VPMULLD] = vex_packed<Engine, semantics::pmulld>;
    table[ZYDIS_MNEMONIC_VPMINSB] = vex_packed<Engine, semantics::pminsb>;
    table[ZYDIS_MNEMONIC_VPMAXSB] = vex_packed<Engine, semantics::pmaxsb>;
    table[ZYDIS_MNEMONIC_VPMINUW] = vex_packed<Engine, semantics::pminuw>;
    table[ZYDIS_MNEMONIC_VPMAXUW] = vex_packed<Engine, semantics::pmaxuw>;
    table[ZYDIS_MNEMONIC_VPMINUD] = vex_packed<Engine, semantics::pminud>;
    table[ZYDIS_MNEMONIC_VPMAXUD] = vex_packed<Engine, semantics::pmaxud>;
    table[ZYDIS_MNEMONIC_VPMINSD] = vex_packed<Engine, semantics::pminsd>;
    table[ZYDIS_MNEMONIC_VPMAXSD] = vex_packed<Engine, semantics::pmaxsd>;
    table[ZYDIS_MNEMONIC_VPCMPEQQ] = vex_packed<Engine, semantics::pcmpeqq>;
    table[ZYDIS_MNEMONIC_VPCMPGTQ] = vex_packed<Engine, semantics::pcmpgtq>;
    table[ZYDIS_MNEMONIC_VPTEST] = vex_packed<Engine, semantics::ptest>;
    table[ZYDIS_MNEMONIC_VPMOVMSKB] = vex_mask<Engine, semantics::pmovmskb>;
    table[ZYDIS_MNEMONIC_VMOVMSKPS] = vex_mask<Engine, semantics::movmskps>;
    table[ZYDIS_MNEMONIC_VMOVMSKPD] = vex_mask<Engine, semantics::movmskpd>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPAND, ZYDIS_MNEMONIC_VANDPS, ZYDIS_MNEMONIC_VANDPD})
        table[mnemonic] = vex_packed<Engine, semantics::pand>;
    for (const auto mnemonic :
         {ZYDIS_MNEMONIC_VPANDN, ZYDIS_MNEMONIC_VANDNPS, ZYDIS_MNEMONIC_VANDNPD})
        table[mnemonic] = vex_packed<Engine, semantics::pandn>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPOR, ZYDIS_MNEMONIC_VORPS, ZYDIS_MNEMONIC_VORPD})
        table[mnemonic] = vex_packed<Engine, semantics::por>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPXOR, ZYDIS_MNEMONIC_VXORPS, ZYDIS_MNEMONIC_VXORPD})
        table[mnemonic] = vex_packed<Engine, semantics::pxor>;
}

template <class Engine>
void register_avx_integer_shuffle(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_VPACKSSWB] = vex_packed<Engine, semantics::packsswb>;
    table[ZYDIS_MNEMONIC_VPACKSSDW] = vex_packed<Engine, semantics::packssdw>;
    table[ZYDIS_MNEMONIC_VPACKUSWB] = vex_packed<Engine, semantics::packuswb>;
    table[ZYDIS_MNEMONIC_VPACKUSDW] = vex_packed<Engine, semantics::packusdw>;
    table[ZYDIS_MNEMONIC_VPUNPCKLBW] = vex_packed<Engine, semantics::punpcklbw>;
    table[ZYDIS_MNEMONIC_VPUNPCKLWD] = vex_packed<Engine, semantics::punpcklwd>;
    table[ZYDIS_MNEMONIC_VPUNPCKHBW] = vex_packed<Engine, semantics::punpckhbw>;
    table[ZYDIS_MNEMONIC_VPUNPCKHWD] = vex_packed<Engine, semantics::punpckhwd>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPUNPCKLDQ, ZYDIS_MNEMONIC_VUNPCKLPS})
        table[mnemonic] = vex_packed<Engine, semantics::punpckldq>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPUNPCKHDQ, ZYDIS_MNEMONIC_VUNPCKHPS})
        table[mnemonic] = vex_packed<Engine, semantics::punpckhdq>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPUNPCKLQDQ, ZYDIS_MNEMONIC_VUNPCKLPD})
        table[mnemonic] = vex_packed<Engine, semantics::punpcklqdq>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VPUNPCKHQDQ, ZYDIS_MNEMONIC_VUNPCKHPD})
        table[mnemonic] = vex_packed<Engine, semantics::punpckhqdq>;

    table[ZYDIS_MNEMONIC_VPSLLW] = vex_shift<Engine, semantics::psllw>;
    table[ZYDIS_MNEMONIC_VPSLLD] = vex_shift<Engine, semantics::pslld>;
    table[ZYDIS_MNEMONIC_VPSLLQ] = vex_shift<Engine, semantics::psllq>;
    table[ZYDIS_MNEMONIC_VPSRLW] = vex_shift<Engine, semantics::psrlw>;
    table[ZYDIS_MNEMONIC_VPSRLD] = vex_shift<Engine, semantics::psrld>;
    table[ZYDIS_MNEMONIC_VPSRLQ] = vex_shift<Engine, semantics::psrlq>;
    table[ZYDIS_MNEMONIC_VPSRAW] = vex_shift<Engine, semantics::psraw>;
    table[ZYDIS_MNEMONIC_VPSRAD] = vex_shift<Engine, semantics::psrad>;
    table[ZYDIS_MNEMONIC_VPSLLDQ] = vex_byte_shift<Engine, semantics::pslldq>;
    table[ZYDIS_MNEMONIC_VPSRLDQ] = vex_byte_shift<Engine, semantics::psrldq>;

    table[ZYDIS_MNEMONIC_VPSHUFD] = vex_packed_control<Engine, semantics::pshufd>;
    table[ZYDIS_MNEMONIC_VPSHUFLW] = vex_packed_control<Engine, semantics::pshuflw>;
    table[ZYDIS_MNEMONIC_VPSHUFHW] = vex_packed_control<Engine, semantics::pshufhw>;
    table[ZYDIS_MNEMONIC_VMASKMOVDQU] = vex_masked_move<Engine>;
}

}  // namespace forms

template <class Engine>
void register_avx_integer(FormTable<Engine>& table) {
    forms::register_avx_integer_arithmetic(table);
    forms::register_avx_integer_shuffle(table);
}

}  // namespace backplane::x86
