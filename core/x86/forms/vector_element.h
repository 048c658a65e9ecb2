// Forms of the instructions that move single lanes in and out of vector registers.
#pragma once

#include "x86/forms/vector_operands.h"
#include "x86/semantics/vector_element.h"

namespace backplane::x86 {
namespace forms {

// The vector register is in ModRM.reg; the element goes to memory or to a general register, whose
// upper bits are cleared.
template <class Engine, class T>
typename Engine::Handler extract_element(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    using Wide = std::conditional_t<sizeof(T) == 8, std::uint64_t, std::uint32_t>;
    constexpr auto semantic = semantics::extract_element<T>;
    fill_vector_operands(instruction, op);
    return is_memory(instruction.operands[0])
               ? Engine::template handler<semantic, Memory<T>, XmmReg<Bits128>, Byte>()
               : Engine::template handler<semantic, Rm<Wide>, XmmReg<Bits128>, Byte>();
}

// The older encoding has the general register in ModRM.reg and knows MMX registers; SSE4.1 added
// one like those of the other sizes.
template <class Engine>
typename Engine::Handler extract_word(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    constexpr auto semantic = semantics::extract_element<std::uint16_t>;
    if (instruction.operands[0].encoding != ZYDIS_OPERAND_ENCODING_MODRM_REG)
        return extract_element<Engine, std::uint16_t>(instruction, op);
    fill_vector_operands(instruction, op);
    return is_mmx(instruction.operands[1])
               ? Engine::template handler<semantic, Reg<std::uint32_t>, MmxRm<Bits64>, Byte>()
               : Engine::template handler<semantic, Reg<std::uint32_t>, XmmRm<Bits128>, Byte>();
}

template <class Engine, class T>
typename Engine::Handler insert_element(const Instruction& instruction, Op& op) {
    using Byte = Immediate<std::uint8_t>;
    constexpr auto semantic = semantics::insert_element<T>;
    fill_vector_operands(instruction, op);
    const auto into = [&]<class Vector> {
        return is_memory(instruction.operands[1])
                   ? Engine::template handler<semantic, Vector, Memory<T>, Byte>()
                   : Engine::template handler<semantic, Vector, Rm<T>, Byte>();
    };
    if constexpr (sizeof(T) == 2)
        if (is_mmx(instruction.operands[0])) return into.template operator()<MmxReg<Bits64>>();
    return into.template operator()<XmmReg<Bits128>>();
}

}  // namespace forms

template <class Engine>
void register_vector_element(FormTable<Engine>& table) {
    using namespace forms;
    table[ZYDIS_MNEMONIC_PEXTRB] = extract_element<Engine, std::uint8_t>;
    table[ZYDIS_MNEMONIC_PEXTRW] = extract_word<Engine>;
    table[ZYDIS_MNEMONIC_PEXTRD] = extract_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_PEXTRQ] = extract_element<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_EXTRACTPS] = extract_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_PINSRB] = insert_element<Engine, std::uint8_t>;
    table[ZYDIS_MNEMONIC_PINSRW] = insert_element<Engine, std::uint16_t>;
    table[ZYDIS_MNEMONIC_PINSRD] = insert_element<Engine, std::uint32_t>;
    table[ZYDIS_MNEMONIC_PINSRQ] = insert_element<Engine, std::uint64_t>;
    table[ZYDIS_MNEMONIC_INSERTPS] =
        xmm_source_control<Engine, semantics::insertps, Memory<std::uint32_t>>;
}

}  // namespace backplane::x86
