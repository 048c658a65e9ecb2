// What the decoder says of register operands.
#pragma once

#include "x86/instruction.h"
#include "x86/register_name.h"

#include <Zydis/Zydis.h>

#include <cstdint>

namespace backplane::jit {

// By its number in the encoding, whatever part of the register is named.
inline unsigned number_of(ZydisRegister name) {
    return x86::is_part_of_general(name) ? x86::general_number(name)
                                         : static_cast<unsigned>(ZydisRegisterGetId(name));
}

inline bool is_high_byte(ZydisRegister name) { return x86::is_second_byte(name); }

// A general register, or a part of one that begins with its lowest byte.
inline bool is_general(ZydisRegister name) {
    return x86::is_part_of_general(name) && !x86::is_second_byte(name);
}

inline bool is_general(const ZydisDecodedOperand& operand, unsigned size) {
    return operand.type == ZYDIS_OPERAND_TYPE_REGISTER && operand.size == size &&
           is_general(operand.reg.value);
}

// The general registers of which an instruction writes any part, by number; and those it names.
inline std::uint16_t written_registers(const x86::Instruction& instruction) {
    std::uint16_t set = 0;
    for (unsigned i = 0; i < instruction.decoded.operand_count; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
        const bool is_written = (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
        if (is_written && (is_general(operand.reg.value) || is_high_byte(operand.reg.value)))
            set |= static_cast<std::uint16_t>(1u << number_of(operand.reg.value));
    }
    return set;
}

inline std::uint16_t named_registers(const x86::Instruction& instruction) {
    std::uint16_t set = 0;
    for (unsigned i = 0; i < instruction.decoded.operand_count_visible; ++i) {
        const ZydisDecodedOperand& operand = instruction.operands[i];
        if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER && is_general(operand.reg.value))
            set |= static_cast<std::uint16_t>(1u << number_of(operand.reg.value));
    }
    return set;
}

inline bool is_vector(ZydisRegister name) { return x86::is_xmm_or_ymm(name); }

}  // namespace backplane::jit
