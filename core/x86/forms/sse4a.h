// Forms of SSE4A. POPCNT and LZCNT, which came with it, are integer instructions.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/sse4a.h"
#include "x86/semantics/vector_move.h"

namespace backplane::x86 {
namespace forms {

// The two control bytes, length and position, become one immediate.
inline void fill_bit_field(const Instruction& instruction, unsigned first, Op& op) {
    op.immediate = instruction.operands[first].imm.value.u |
                   instruction.operands[first + 1].imm.value.u << 8;
}

template <class Engine>
typename Engine::Handler extract_field(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    if (!is_immediate(instruction.operands[1]))
        return Engine::template handler<semantics::extrq, XmmReg<Bits128>, XmmRm<Bits128>>();
    fill_bit_field(instruction, 1, op);
    return Engine::template handler<semantics::extrq, XmmRm<Bits128>, Immediate<std::uint16_t>>();
}

template <class Engine>
typename Engine::Handler insert_field(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    if (instruction.decoded.operand_count_visible == 2)
        return Engine::template handler<semantics::insertq, XmmReg<Bits128>, XmmRm<Bits128>>();
    fill_bit_field(instruction, 2, op);
    return Engine::template handler<semantics::insertq, XmmReg<Bits128>, XmmRm<Bits128>,
                                    Immediate<std::uint16_t>>();
}

template <class Engine, class T>
typename Engine::Handler store_scalar(const Instruction& instruction, Op& op) {
    fill_vector_operands(instruction, op);
    return Engine::template handler<semantics::vector_move, Memory<T>, XmmReg<T>>();
}

}  // namespace forms

template <class Engine>
void register_sse4a(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_EXTRQ] = extract_field<Engine>;
    table[ZYDIS_MNEMONIC_INSERTQ] = insert_field<Engine>;
    table[ZYDIS_MNEMONIC_MOVNTSS] = store_scalar<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_MOVNTSD] = store_scalar<Engine, std::uint64_t>;
}

}  // namespace backplane::x86
