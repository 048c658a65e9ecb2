// VEX forms of the vector moves.
#pragma once

#include "x86/forms/vex_operands.h"
#include "x86/semantics/avx_move.h"

namespace backplane::x86 {
namespace forms {

// Whole registers, in both directions.
template <class Engine, template <class> class Place>
typename Engine::Handler vex_move(const Instruction& instruction, Op& op) {
    constexpr auto move = semantics::vector_move;
    if (!fill_vex(instruction, op)) return nullptr;
    const auto of_width = [&]<class Bits> {
        if (is_memory(instruction.operands[0]))
            return Engine::template handler<move, Place<Bits>, VexReg<Bits>>();
        if (is_memory(instruction.operands[1]))
            return Engine::template handler<move, VexReg<Bits>, Place<Bits>>();
        return Engine::template handler<move, VexReg<Bits>, VexRm<Bits>>();
    };
    return is_ymm_wide(instruction) ? of_width.template operator()<Bits256>()
                                    : of_width.template operator()<Bits128>();
}

// VMOVSS and VMOVSD: between registers the destination's other elements come from a source of its
// own.
template <class Engine, class T>
typename Engine::Handler vex_move_scalar(const Instruction& instruction, Op& op) {
    constexpr auto move = semantics::vector_move;
    if (!fill_vex(instruction, op)) return nullptr;
    if (is_memory(instruction.operands[0]))
        return Engine::template handler<move, Memory<T>, VexReg<T>>();
    if (is_memory(instruction.operands[1]))
        return Engine::template handler<move, VexReg<T>, Memory<T>>();
    return Engine::template handler<semantics::move_to_low<T>, VexTarget<Bits128>, VexRm<T>>();
}

// VMOVD and VMOVQ, between a vector register and a general register or memory; VMOVQ also between
// vector registers.
template <class Engine>
typename Engine::Handler vex_move_narrow(const Instruction& instruction, Op& op) {
    constexpr auto move = semantics::vector_move;
    if (!fill_vex(instruction, op)) return nullptr;
    const ZydisDecodedOperand &to = instruction.operands[0], &from = instruction.operands[1];
    const auto of_width = [&]<class T> {
        if (is_memory(to)) return Engine::template handler<move, Memory<T>, VexReg<T>>();
        if (is_memory(from)) return Engine::template handler<move, VexReg<T>, Memory<T>>();
        if (!is_xmm(to)) return Engine::template handler<move, Reg<T>, VexRm<T>>();
        return is_xmm(from) ? Engine::template handler<move, VexReg<T>, VexRm<T>>()
                            : Engine::template handler<move, VexReg<T>, Rm<T>>();
    };
    return instruction.mnemonic() == ZYDIS_MNEMONIC_VMOVQ
               ? of_width.template operator()<std::uint64_t>()
               : of_width.template operator()<std::uint32_t>();
}

template <class Engine>
typename Engine::Handler vex_move_low(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantics::vector_move, Memory<Bits64>, VexReg<Bits64>>()
               : Engine::template handler<semantics::move_to_low<Bits64>, VexTarget<Bits128>,
                                          Memory<Bits64>>();
}

template <class Engine>
typename Engine::Handler vex_move_high(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantics::move_from_high, Memory<Bits64>,
                                          VexReg<Bits128>>()
               : Engine::template handler<semantics::move_to_high, VexTarget<Bits128>,
                                          Memory<Bits64>>();
}

// Instructions with one shape of operands.
template <class Engine, auto semantic, class... Operands>
typename Engine::Handler vex_exactly(const Instruction& instruction, Op& op) {
    if (!fill_vex(instruction, op)) return nullptr;
    return Engine::template handler<semantic, Operands...>();
}

}  // namespace forms

template <class Engine>
void register_avx_move(FormTable<Engine>& table) {
    using namespace forms;
    for (const auto mnemonic :
         {ZYDIS_MNEMONIC_VMOVAPS, ZYDIS_MNEMONIC_VMOVAPD, ZYDIS_MNEMONIC_VMOVDQA,
          ZYDIS_MNEMONIC_VMOVNTPS, ZYDIS_MNEMONIC_VMOVNTPD, ZYDIS_MNEMONIC_VMOVNTDQ,
          ZYDIS_MNEMONIC_VMOVNTDQA})
        table[mnemonic] = vex_move<Engine, AlignedMemory>;
    for (const auto mnemonic : {ZYDIS_MNEMONIC_VMOVUPS, ZYDIS_MNEMONIC_VMOVUPD,
                                ZYDIS_MNEMONIC_VMOVDQU, ZYDIS_MNEMONIC_VLDDQU})
        table[mnemonic] = vex_move<Engine, Memory>;
    table[ZYDIS_MNEMONIC_VMOVSS] = vex_move_scalar<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_VMOVSD] = vex_move_scalar<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_VMOVD] = vex_move_narrow<Engine>;
    table[ZYDIS_MNEMONIC_VMOVQ] = vex_move_narrow<Engine>;
    table[ZYDIS_MNEMONIC_VMOVLPS] = vex_move_low<Engine>;
    table[ZYDIS_MNEMONIC_VMOVLPD] = vex_move_low<Engine>;
    table[ZYDIS_MNEMONIC_VMOVHPS] = vex_move_high<Engine>;
    table[ZYDIS_MNEMONIC_VMOVHPD] = vex_move_high<Engine>;
    table[ZYDIS_MNEMONIC_VMOVHLPS] =
        vex_exactly<Engine, semantics::vmovhlps, VexTarget<Bits128>, VexRm<Bits128>>;
    table[ZYDIS_MNEMONIC_VMOVLHPS] =
        vex_exactly<Engine, semantics::move_to_high, VexTarget<Bits128>, VexRm<Bits64>>;

    table[ZYDIS_MNEMONIC_VZEROUPPER] = vex_exactly<Engine, semantics::vzeroupper>;
    table[ZYDIS_MNEMONIC_VZEROALL] = vex_exactly<Engine, semantics::vzeroall>;
    table[ZYDIS_MNEMONIC_VLDMXCSR] =
        vex_exactly<Engine, semantics::vldmxcsr, VexMemory<std::uint32_t>>;
    table[ZYDIS_MNEMONIC_VSTMXCSR] =
        vex_exactly<Engine, semantics::vstmxcsr, VexMemory<std::uint32_t>>;
}

}  // namespace backplane::x86
