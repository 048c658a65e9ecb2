// Forms of the moves of MMX, SSE and SSE2, and of the instructions that manage their state.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/fxsave.h"
#include "x86/semantics/vector_move.h"

namespace backplane::x86 {
namespace forms {

inline bool stores(const Instruction& instruction) {
    return instruction.operands[0].encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM;
}

// Whole XMM registers, in both directions.
template <class Engine, class Place>
typename Engine::Handler move_register(const Instruction& instruction, Op& op) {
    constexpr auto move = semantics::vector_move;
    fill_vector_operands(instruction, op);
    if (is_memory(instruction.operands[0]))
        return Engine::template handler<move, Place, XmmReg<Bits128>>();
    if (is_memory(instruction.operands[1]))
        return Engine::template handler<move, XmmReg<Bits128>, Place>();
    return stores(instruction) ? Engine::template handler<move, XmmRm<Bits128>, XmmReg<Bits128>>()
                               : Engine::template handler<move, XmmReg<Bits128>, XmmRm<Bits128>>();
}

// MOVSS and MOVSD: a load clears the rest of the register, a move between registers leaves it.
template <class Engine, class T>
typename Engine::Handler move_scalar(const Instruction& instruction, Op& op) {
    constexpr auto move = semantics::vector_move;
    fill_vector_operands(instruction, op);
    if (is_memory(instruction.operands[0]))
        return Engine::template handler<move, Memory<T>, XmmReg<T>>();
    if (is_memory(instruction.operands[1]))
        return Engine::template handler<semantics::vector_move_extended, XmmReg<Bits128>,
                                        Memory<T>>();
    return stores(instruction) ? Engine::template handler<move, XmmRm<T>, XmmReg<T>>()
                               : Engine::template handler<move, XmmReg<T>, XmmRm<T>>();
}

// One mnemonic with the string instruction, which is not ours.
template <class Engine>
typename Engine::Handler movsd(const Instruction& instruction, Op& op) {
    if (instruction.decoded.meta.category == ZYDIS_CATEGORY_STRINGOP) return nullptr;
    return move_scalar<Engine, std::uint64_t>(instruction, op);
}

// MOVD and MOVQ between a vector register and a general register or memory of T's width; also MOVQ
// between vectors.
template <class Engine, class T>
typename Engine::Handler move_narrow(const Instruction& instruction, Op& op) {
    constexpr auto extend = semantics::vector_move_extended;
    constexpr auto move = semantics::vector_move;
    constexpr auto mmx_move = semantics::mmx_move;
    fill_vector_operands(instruction, op);
    const ZydisDecodedOperand &to = instruction.operands[0], &from = instruction.operands[1];
    if (is_mmx(to) && is_mmx(from))
        return stores(instruction)
                   ? Engine::template handler<mmx_move, MmxRm<Bits64>, MmxReg<Bits64>>()
                   : Engine::template handler<mmx_move, MmxReg<Bits64>, MmxRm<Bits64>>();
    if (is_mmx(to))
        return is_memory(from) ? Engine::template handler<mmx_move, MmxReg<Bits64>, Memory<T>>()
                               : Engine::template handler<mmx_move, MmxReg<Bits64>, Rm<T>>();
    if (is_mmx(from))
        return is_memory(to) ? Engine::template handler<mmx_move, Memory<T>, MmxReg<T>>()
                             : Engine::template handler<mmx_move, Rm<T>, MmxReg<T>>();
    if (is_xmm(to) && is_xmm(from))
        return stores(instruction) ? Engine::template handler<extend, XmmRm<Bits128>, XmmReg<T>>()
                                   : Engine::template handler<extend, XmmReg<Bits128>, XmmRm<T>>();
    if (is_xmm(to))
        return is_memory(from) ? Engine::template handler<extend, XmmReg<Bits128>, Memory<T>>()
                               : Engine::template handler<extend, XmmReg<Bits128>, Rm<T>>();
    return is_memory(to) ? Engine::template handler<move, Memory<T>, XmmReg<T>>()
                         : Engine::template handler<move, Rm<T>, XmmReg<T>>();
}

// MOVD with REX.W is MOVQ to Zydis; the operand decides anyway.
template <class Engine>
typename Engine::Handler move_any_narrow(const Instruction& instruction, Op& op) {
    const bool wide = instruction.mnemonic() == ZYDIS_MNEMONIC_MOVQ;
    return wide ? move_narrow<Engine, std::uint64_t>(instruction, op)
                : move_narrow<Engine, std::uint32_t>(instruction, op);
}

template <class Engine>
typename Engine::Handler move_low(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantics::vector_move, Memory<Bits64>, XmmReg<Bits64>>()
               : Engine::template handler<semantics::vector_move, XmmReg<Bits64>, Memory<Bits64>>();
}

template <class Engine>
typename Engine::Handler move_high(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantics::move_from_high, Memory<Bits64>,
                                          XmmReg<Bits128>>()
               : Engine::template handler<semantics::move_to_high, XmmReg<Bits128>,
                                          Memory<Bits64>>();
}

// Instructions with one shape of operands.
template <class Engine, auto semantic, class... Operands>
typename Engine::Handler exactly(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return Engine::template handler<semantic, Operands...>();
}

}  // namespace forms

template <class Engine>
void register_vector_move(FormTable<Engine>& table) {
    using namespace forms;
    using Aligned = AlignedMemory<Bits128>;
    using enum FxPointers;

    table[ZYDIS_MNEMONIC_MOVAPS] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVAPD] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVDQA] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVNTPS] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVNTPD] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVNTDQ] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_MOVNTDQA] = move_register<Engine, Aligned>;
    table[ZYDIS_MNEMONIC_LDDQU] = move_register<Engine, Memory<Bits128>>;
    table[ZYDIS_MNEMONIC_MOVUPS] = move_register<Engine, Memory<Bits128>>;
    table[ZYDIS_MNEMONIC_MOVUPD] = move_register<Engine, Memory<Bits128>>;
    table[ZYDIS_MNEMONIC_MOVDQU] = move_register<Engine, Memory<Bits128>>;
    table[ZYDIS_MNEMONIC_MOVSS] = move_scalar<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_MOVSD] = movsd<Engine>;
    table[ZYDIS_MNEMONIC_MOVD] = move_any_narrow<Engine>;
    table[ZYDIS_MNEMONIC_MOVQ] = move_any_narrow<Engine>;
    table[ZYDIS_MNEMONIC_MOVLPS] = move_low<Engine>;
    table[ZYDIS_MNEMONIC_MOVLPD] = move_low<Engine>;
    table[ZYDIS_MNEMONIC_MOVHPS] = move_high<Engine>;
    table[ZYDIS_MNEMONIC_MOVHPD] = move_high<Engine>;
    table[ZYDIS_MNEMONIC_MOVHLPS] =
        exactly<Engine, semantics::move_from_high, XmmReg<Bits64>, XmmRm<Bits128>>;
    table[ZYDIS_MNEMONIC_MOVLHPS] =
        exactly<Engine, semantics::move_to_high, XmmReg<Bits128>, XmmRm<Bits64>>;
    table[ZYDIS_MNEMONIC_MOVQ2DQ] =
        exactly<Engine, semantics::movq2dq, XmmReg<Bits128>, MmxRm<Bits64>>;
    table[ZYDIS_MNEMONIC_MOVDQ2Q] =
        exactly<Engine, semantics::movdq2q, MmxReg<Bits64>, XmmRm<Bits64>>;
    table[ZYDIS_MNEMONIC_MOVNTQ] =
        exactly<Engine, semantics::mmx_move, Memory<Bits64>, MmxReg<Bits64>>;

    table[ZYDIS_MNEMONIC_EMMS] = exactly<Engine, semantics::emms>;
    table[ZYDIS_MNEMONIC_LDMXCSR] = exactly<Engine, semantics::ldmxcsr, Memory<std::uint32_t>>;
    table[ZYDIS_MNEMONIC_STMXCSR] = exactly<Engine, semantics::stmxcsr, Memory<std::uint32_t>>;
    table[ZYDIS_MNEMONIC_FXSAVE] = exactly<Engine, semantics::fxsave<Offset32>, Aligned>;
    table[ZYDIS_MNEMONIC_FXSAVE64] = exactly<Engine, semantics::fxsave<Offset64>, Aligned>;
    table[ZYDIS_MNEMONIC_FXRSTOR] = exactly<Engine, semantics::fxrstor<Offset32>, Aligned>;
    table[ZYDIS_MNEMONIC_FXRSTOR64] = exactly<Engine, semantics::fxrstor<Offset64>, Aligned>;

    table[ZYDIS_MNEMONIC_SFENCE] = exactly<Engine, semantics::store_fence>;
    table[ZYDIS_MNEMONIC_LFENCE] = exactly<Engine, semantics::load_fence>;
    table[ZYDIS_MNEMONIC_MFENCE] = exactly<Engine, semantics::memory_fence>;
    for (const ZydisMnemonic mnemonic :
         {ZYDIS_MNEMONIC_CLFLUSH, ZYDIS_MNEMONIC_CLFLUSHOPT, ZYDIS_MNEMONIC_CLWB})
        table[mnemonic] = exactly<Engine, semantics::clflush, Memory<std::uint8_t>>;
}

}  // namespace backplane::x86
