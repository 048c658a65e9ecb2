// VEX forms of the instructions of SSE3 to SSE4.2 that choose, duplicate, blend, widen and combine
// lanes, of single lanes, strings and cryptography.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/avx_permute.h"
#include "x86/semantics/crypto.h"
#include "x86/semantics/vector_element.h"
#include "x86/semantics/vector_neighbours.h"
#include "x86/semantics/vector_shuffle.h"
#include "x86/semantics/vector_string.h"

namespace backplane::x86 {
namespace forms {

// The source is a part of an XMM register or of that size in memory.
template <class Engine, class From, class To>
typename Engine::Handler vex_widening_move(const Instruction& instruction, Op& op) {
    constexpr auto part_of = []<std::size_t size> {
        if constexpr (size == 16)
            return Bits128{};
        else if constexpr (size == 8)
            return std::uint64_t{};
        else if constexpr (size == 4)
            return std::uint32_t{};
        else
            return std::uint16_t{};
    };
    constexpr std::size_t half = 16 * sizeof(From) / sizeof(To);
    using Half = decltype(part_of.template operator()<half>());
    using Whole = decltype(part_of.template operator()<2 * half>());
    return is_ymm_wide(instruction)
               ? vex_source<Engine, semantics::widening_move_ymm<From, To>, VexTarget<Bits256>,
                            VexRm<Whole>, VexMemory<Whole>>(instruction, op)
               : vex_source<Engine, semantics::widening_move<From, To>, VexTarget<Bits128>,
                            VexRm<Half>, VexMemory<Half>>(instruction, op);
}

template <class Engine>
typename Engine::Handler vex_movddup(const Instruction& instruction, Op& op) {
    if (is_ymm_wide(instruction))
        return vex_ymm<Engine, semantics::lane_unary<Bits64, lanes::duplicate_even>>(instruction,
                                                                                     op);
    return vex_source<Engine, semantics::movddup, VexTarget<Bits128>, VexRm<Bits64>,
                      VexMemory<Bits64>>(instruction, op);
}

// A fourth register chooses.
template <class Engine, auto semantic>
typename Engine::Handler vex_blend(const Instruction& instruction, Op& op) {
    return is_ymm_wide(instruction)
               ? vex_ymm<Engine, semantic, VexFourth<Bits256>>(instruction, op)
               : vex_xmm<Engine, semantic, VexMemory<Bits128>, VexFourth<Bits128>>(instruction, op);
}

template <class Engine, class T>
typename Engine::Handler vex_extract_element(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    using Wide = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    constexpr auto semantic = semantics::extract_element<T>;
    if (!fill_vex(instruction, op)) return nullptr;
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantic, VexMemory<T>, VexReg<Bits128>, Byte>()
               : Engine::template handler<semantic, Reg<Wide>, VexRm<Bits128>, Byte>();
}

template <class Engine, class T>
typename Engine::Handler vex_insert_element(const Instruction& instruction, Op& op) {
    return vex_source<Engine, semantics::insert_element<T>, VexTarget<Bits128>, Rm<T>, VexMemory<T>,
                      Immediate<std::uint8_t>>(instruction, op);
}

template <class Engine, auto semantic>
typename Engine::Handler vex_xmm_control(const Instruction& instruction, Op& op) {
    return vex_xmm<Engine, semantic, VexMemory<Bits128>, Immediate<std::uint8_t>>(instruction, op);
}

template <class Engine, auto narrow, auto wide>
typename Engine::Handler vex_string_explicit(const Instruction& instruction, Op& op) {
    return instruction.decoded.raw.vex.W && instruction.is_code64()
               ? vex_xmm_control<Engine, wide>(instruction, op)
               : vex_xmm_control<Engine, narrow>(instruction, op);
}

template <class Engine>
void register_avx_blend(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_VPSHUFB] = vex_packed<Engine, semantics::pshufb>;
    table[ZYDIS_MNEMONIC_VPALIGNR] = vex_packed_control<Engine, semantics::palignr>;
    table[ZYDIS_MNEMONIC_VMOVSLDUP] = vex_packed<Engine, semantics::movsldup>;
    table[ZYDIS_MNEMONIC_VMOVSHDUP] = vex_packed<Engine, semantics::movshdup>;
    table[ZYDIS_MNEMONIC_VMOVDDUP] = vex_movddup<Engine>;
    table[ZYDIS_MNEMONIC_VPBLENDW] = vex_packed_control<Engine, semantics::pblendw>;
    table[ZYDIS_MNEMONIC_VBLENDPS] = vex_packed_control<Engine, semantics::blendps>;
    table[ZYDIS_MNEMONIC_VBLENDPD] = vex_packed_control<Engine, semantics::blendpd>;
    table[ZYDIS_MNEMONIC_VPBLENDVB] = vex_blend<Engine, semantics::pblendvb>;
    table[ZYDIS_MNEMONIC_VBLENDVPS] = vex_blend<Engine, semantics::blendvps>;
    table[ZYDIS_MNEMONIC_VBLENDVPD] = vex_blend<Engine, semantics::blendvpd>;

    table[ZYDIS_MNEMONIC_VPHADDW] = vex_packed<Engine, semantics::phaddw>;
    table[ZYDIS_MNEMONIC_VPHADDD] = vex_packed<Engine, semantics::phaddd>;
    table[ZYDIS_MNEMONIC_VPHADDSW] = vex_packed<Engine, semantics::phaddsw>;
    table[ZYDIS_MNEMONIC_VPHSUBW] = vex_packed<Engine, semantics::phsubw>;
    table[ZYDIS_MNEMONIC_VPHSUBD] = vex_packed<Engine, semantics::phsubd>;
    table[ZYDIS_MNEMONIC_VPHSUBSW] = vex_packed<Engine, semantics::phsubsw>;
    table[ZYDIS_MNEMONIC_VPMADDUBSW] = vex_packed<Engine, semantics::pmaddubsw>;
    table[ZYDIS_MNEMONIC_VMPSADBW] = vex_packed_control<Engine, semantics::mpsadbw>;
    table[ZYDIS_MNEMONIC_VPHMINPOSUW] = vex_xmm<Engine, semantics::phminposuw>;

    table[ZYDIS_MNEMONIC_VPMOVSXBW] = vex_widening_move<Engine, std::int8_t, std::int16_t>;
    table[ZYDIS_MNEMONIC_VPMOVSXBD] = vex_widening_move<Engine, std::int8_t, std::int32_t>;
    table[ZYDIS_MNEMONIC_VPMOVSXBQ] = vex_widening_move<Engine, std::int8_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_VPMOVSXWD] = vex_widening_move<Engine, std::int16_t, std::int32_t>;
    table[ZYDIS_MNEMONIC_VPMOVSXWQ] = vex_widening_move<Engine, std::int16_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_VPMOVSXDQ] = vex_widening_move<Engine, std::int32_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXBW] = vex_widening_move<Engine, std::uint8_t, std::uint16_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXBD] = vex_widening_move<Engine, std::uint8_t, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXBQ] = vex_widening_move<Engine, std::uint8_t, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXWD] = vex_widening_move<Engine, std::uint16_t, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXWQ] = vex_widening_move<Engine, std::uint16_t, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VPMOVZXDQ] = vex_widening_move<Engine, std::uint32_t, std::uint64_t>;
}

template <class Engine>
void register_avx_element(FormTable<Engine>& table) {
    using Byte = Immediate<std::uint8_t>;
    table[ZYDIS_MNEMONIC_VPEXTRB] = vex_extract_element<Engine, std::uint8_t>;
    table[ZYDIS_MNEMONIC_VPEXTRW] = vex_extract_element<Engine, std::uint16_t>;
    table[ZYDIS_MNEMONIC_VPEXTRD] = vex_extract_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPEXTRQ] = vex_extract_element<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VEXTRACTPS] = vex_extract_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPINSRB] = vex_insert_element<Engine, std::uint8_t>;
    table[ZYDIS_MNEMONIC_VPINSRW] = vex_insert_element<Engine, std::uint16_t>;
    table[ZYDIS_MNEMONIC_VPINSRD] = vex_insert_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPINSRQ] = vex_insert_element<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VINSERTPS] = vex_scalar<Engine, semantics::insertps, std::uint32_t, Byte>;
}

// AVX has these for XMM registers only.
template <class Engine>
void register_avx_crypto(FormTable<Engine>& table) {
    using Narrow = std::int32_t;
    using Wide = std::int64_t;
    table[ZYDIS_MNEMONIC_VPCMPISTRI] = vex_xmm_control<Engine, semantics::pcmpistri>;
    table[ZYDIS_MNEMONIC_VPCMPISTRM] = vex_xmm_control<Engine, semantics::pcmpistrm>;
    table[ZYDIS_MNEMONIC_VPCMPESTRI] =
        vex_string_explicit<Engine, semantics::pcmpestri<Narrow>, semantics::pcmpestri<Wide>>;
    table[ZYDIS_MNEMONIC_VPCMPESTRM] =
        vex_string_explicit<Engine, semantics::pcmpestrm<Narrow>, semantics::pcmpestrm<Wide>>;
    table[ZYDIS_MNEMONIC_VAESENC] = vex_xmm<Engine, semantics::aesenc>;
    table[ZYDIS_MNEMONIC_VAESENCLAST] = vex_xmm<Engine, semantics::aesenclast>;
    table[ZYDIS_MNEMONIC_VAESDEC] = vex_xmm<Engine, semantics::aesdec>;
    table[ZYDIS_MNEMONIC_VAESDECLAST] = vex_xmm<Engine, semantics::aesdeclast>;
    table[ZYDIS_MNEMONIC_VAESIMC] = vex_xmm<Engine, semantics::aesimc>;
    table[ZYDIS_MNEMONIC_VAESKEYGENASSIST] = vex_xmm_control<Engine, semantics::aeskeygenassist>;
    table[ZYDIS_MNEMONIC_VPCLMULQDQ] = vex_xmm_control<Engine, semantics::pclmulqdq>;
}

}  // namespace forms

template <class Engine>
void register_avx_shuffle(FormTable<Engine>& table) {
    forms::register_avx_blend(table);
    forms::register_avx_element(table);
    forms::register_avx_crypto(table);
}

}  // namespace backplane::x86
