// Forms of the broadcasts, permutations, blends and shifts that only AVX and AVX2 have.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/avx_permute.h"

namespace backplane::x86 {
namespace forms {

// A T from memory or from an XMM register's low element.
template <class Engine, class T>
typename Engine::Handler vex_broadcast(const Instruction& instruction, Op& op) {
    constexpr auto semantic = semantics::broadcast;
    return is_ymm_wide(instruction)
               ? vex_source<Engine, semantic, VexTarget<Bits256>, VexRm<T>, VexMemory<T>>(
                     instruction, op)
               : vex_source<Engine, semantic, VexTarget<Bits128>, VexRm<T>, VexMemory<T>>(
                     instruction, op);
}

template <class Engine>
typename Engine::Handler vex_broadcast_half(const Instruction& instruction, Op& op) {
    return vex_source<Engine, semantics::vbroadcast128, VexTarget<Bits256>, VexRm<Bits128>,
                      VexMemory<Bits128>>(instruction, op);
}

// VPERMILPS and VPERMILPD.
template <class Engine, auto by_elements, auto by_control>
typename Engine::Handler vex_permute(const Instruction& instruction, Op& op) {
    return is_immediate(instruction.operands[2])
               ? vex_packed_control<Engine, by_control>(instruction, op)
               : vex_packed<Engine, by_elements>(instruction, op);
}

template <class Engine>
typename Engine::Handler vex_insert_half(const Instruction& instruction, Op& op) {
    return vex_source<Engine, semantics::vinsertf128, VexTarget<Bits256>, VexRm<Bits128>,
                      VexMemory<Bits128>, Immediate<std::uint8_t>>(instruction, op);
}

template <class Engine>
typename Engine::Handler vex_extract_half(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    constexpr auto semantic = semantics::vextractf128;
    if (!fill_vex(instruction, op)) return nullptr;
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantic, VexMemory<Bits128>, VexReg<Bits256>, Byte>()
               : Engine::template handler<semantic, VexReg<Bits128>, VexRm<Bits256>, Byte>();
}

}  // namespace forms

template <class Engine>
void register_avx_permute(FormTable<Engine>& table) {
    using namespace forms;
    using Byte = Immediate<std::uint8_t>;
    table[ZYDIS_MNEMONIC_VBROADCASTSS] = vex_broadcast<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VBROADCASTSD] = vex_broadcast<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VPBROADCASTB] = vex_broadcast<Engine, std::uint8_t>;
    table[ZYDIS_MNEMONIC_VPBROADCASTW] = vex_broadcast<Engine, std::uint16_t>;
    table[ZYDIS_MNEMONIC_VPBROADCASTD] = vex_broadcast<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VPBROADCASTQ] = vex_broadcast<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VBROADCASTF128] = vex_broadcast_half<Engine>;
    table[ZYDIS_MNEMONIC_VBROADCASTI128] = vex_broadcast_half<Engine>;

    table[ZYDIS_MNEMONIC_VPERMILPS] =
        vex_permute<Engine, semantics::vpermilps, semantics::vpermilps_control>;
    table[ZYDIS_MNEMONIC_VPERMILPD] =
        vex_permute<Engine, semantics::vpermilpd, semantics::vpermilpd_control>;
    table[ZYDIS_MNEMONIC_VPERMD] = vex_ymm<Engine, semantics::vpermd>;
    table[ZYDIS_MNEMONIC_VPERMPS] = vex_ymm<Engine, semantics::vpermd>;
    table[ZYDIS_MNEMONIC_VPERMQ] = vex_ymm<Engine, semantics::vpermq, Byte>;
    table[ZYDIS_MNEMONIC_VPERMPD] = vex_ymm<Engine, semantics::vpermq, Byte>;
    table[ZYDIS_MNEMONIC_VPERM2F128] = vex_ymm<Engine, semantics::vperm2f128, Byte>;
    table[ZYDIS_MNEMONIC_VPERM2I128] = vex_ymm<Engine, semantics::vperm2f128, Byte>;
    table[ZYDIS_MNEMONIC_VINSERTF128] = vex_insert_half<Engine>;
    table[ZYDIS_MNEMONIC_VINSERTI128] = vex_insert_half<Engine>;
    table[ZYDIS_MNEMONIC_VEXTRACTF128] = vex_extract_half<Engine>;
    table[ZYDIS_MNEMONIC_VEXTRACTI128] = vex_extract_half<Engine>;

    table[ZYDIS_MNEMONIC_VPBLENDD] = vex_packed_control<Engine, semantics::vpblendd>;
    table[ZYDIS_MNEMONIC_VPSLLVD] = vex_packed<Engine, semantics::vpsllvd>;
    table[ZYDIS_MNEMONIC_VPSLLVQ] = vex_packed<Engine, semantics::vpsllvq>;
    table[ZYDIS_MNEMONIC_VPSRLVD] = vex_packed<Engine, semantics::vpsrlvd>;
    table[ZYDIS_MNEMONIC_VPSRLVQ] = vex_packed<Engine, semantics::vpsrlvq>;
    table[ZYDIS_MNEMONIC_VPSRAVD] = vex_packed<Engine, semantics::vpsravd>;
}

}  // namespace backplane::x86
