// Forms of the instructions that choose, duplicate, blend and widen lanes.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/vector_shuffle.h"

namespace backplane::x86 {
namespace forms {

// The source is a part of a register, or memory of that size.
template <class Engine, auto semantic, class T>
typename Engine::Handler part_source(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[1])
               ? Engine::template handler<semantic, XmmReg<Bits128>, Memory<T>>()
               : Engine::template handler<semantic, XmmReg<Bits128>, XmmRm<T>>();
}

template <class Engine, class From, class To>
typename Engine::Handler widening_move(const Instruction& instruction, Op& op) {
    constexpr auto semantic = semantics::widening_move<From, To>;
    constexpr unsigned size = sizeof(Bits128) * sizeof(From) / sizeof(To);
    using Source = std::conditional_t<size == 8, std::uint64_t,
                                      std::conditional_t<size == 4, std::uint32_t, std::uint16_t>>;
    return part_source<Engine, semantic, Source>(instruction, op);
}

template <class Engine, auto semantic>
typename Engine::Handler align(const Instruction& instruction, Op& op) {
    return is_mmx(instruction.operands[0])
               ? mmx_source<Engine, semantic, Memory<Bits64>, Immediate<std::uint8_t>>(instruction,
                                                                                       op)
               : xmm_source_control<Engine, semantic>(instruction, op);
}

template <class Engine, auto semantic>
typename Engine::Handler blend_by_xmm0(const Instruction& instruction, Op& op) {
    return xmm_source<Engine, semantic, AlignedMemory<Bits128>, Xmm0>(instruction, op);
}

}  // namespace forms

template <class Engine>
void register_vector_shuffle(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_PSHUFB] = either_source<Engine, semantics::pshufb>;
    table[ZYDIS_MNEMONIC_PALIGNR] = align<Engine, semantics::palignr>;
    table[ZYDIS_MNEMONIC_MOVSLDUP] = xmm_source<Engine, semantics::movsldup>;
    table[ZYDIS_MNEMONIC_MOVSHDUP] = xmm_source<Engine, semantics::movshdup>;
    table[ZYDIS_MNEMONIC_MOVDDUP] = part_source<Engine, semantics::movddup, std::uint64_t>;

    table[ZYDIS_MNEMONIC_PBLENDW] = xmm_source_control<Engine, semantics::pblendw>;
    table[ZYDIS_MNEMONIC_BLENDPS] = xmm_source_control<Engine, semantics::blendps>;
    table[ZYDIS_MNEMONIC_BLENDPD] = xmm_source_control<Engine, semantics::blendpd>;
    table[ZYDIS_MNEMONIC_PBLENDVB] = blend_by_xmm0<Engine, semantics::pblendvb>;
    table[ZYDIS_MNEMONIC_BLENDVPS] = blend_by_xmm0<Engine, semantics::blendvps>;
    table[ZYDIS_MNEMONIC_BLENDVPD] = blend_by_xmm0<Engine, semantics::blendvpd>;

    table[ZYDIS_MNEMONIC_PMOVSXBW] = widening_move<Engine, std::int8_t, std::int16_t>;
    table[ZYDIS_MNEMONIC_PMOVSXBD] = widening_move<Engine, std::int8_t, std::int32_t>;
    table[ZYDIS_MNEMONIC_PMOVSXBQ] = widening_move<Engine, std::int8_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_PMOVSXWD] = widening_move<Engine, std::int16_t, std::int32_t>;
    table[ZYDIS_MNEMONIC_PMOVSXWQ] = widening_move<Engine, std::int16_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_PMOVSXDQ] = widening_move<Engine, std::int32_t, std::int64_t>;
    table[ZYDIS_MNEMONIC_PMOVZXBW] = widening_move<Engine, std::uint8_t, std::uint16_t>;
    table[ZYDIS_MNEMONIC_PMOVZXBD] = widening_move<Engine, std::uint8_t, std::uint32_t>;
    table[ZYDIS_MNEMONIC_PMOVZXBQ] = widening_move<Engine, std::uint8_t, std::uint64_t>;
    table[ZYDIS_MNEMONIC_PMOVZXWD] = widening_move<Engine, std::uint16_t, std::uint32_t>;
    table[ZYDIS_MNEMONIC_PMOVZXWQ] = widening_move<Engine, std::uint16_t, std::uint64_t>;
    table[ZYDIS_MNEMONIC_PMOVZXDQ] = widening_move<Engine, std::uint32_t, std::uint64_t>;
}

}  // namespace backplane::x86
