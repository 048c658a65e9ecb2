// Forms of CRC32.
#pragma once

#include "x86/forms/shapes.h"
#include "x86/semantics/crc32.h"

namespace backplane::x86 {
namespace forms {

// The destination is written as 32 bits, which clears its upper half, whatever the operand size.
template <class Engine>
typename Engine::Handler crc32(const Instruction& instruction, Op& op) {
    using Destination = Reg<std::uint32_t>;
    const ZydisDecodedOperand& source = instruction.operands[1];
    fill_reg(instruction.operands[0], op);
    is_register(source) ? fill_rm(source, op) : fill_memory(instruction, source, op);
    return with_any_width(source.size, [&]<class T>() {
        if (is_register(source))
            return Engine::template handler<semantics::crc32, Destination, Rm<T>>();
        return Engine::template handler<semantics::crc32, Destination, Memory<T>>();
    });
}

}  // namespace forms

template <class Engine>
void register_crc32(FormTable<Engine>& table) {
    table[ZYDIS_MNEMONIC_CRC32] = forms::crc32<Engine>;
}

}  // namespace backplane::x86
