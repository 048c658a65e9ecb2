// What the decoder says of register operands.
#pragma once

#include "x86/instruction.h"

#include <Zydis/Zydis.h>

#include <cstdint>

namespace backplane::jit {

// By its number in the encoding, whatever part of the register is named.
inline unsigned number_of(ZydisRegister name) {
    return static_cast<unsigned>(
        ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name)));
}

inline bool is_high_byte(ZydisRegister name) {
    return name >= ZYDIS_REGISTER_AH && name <= ZYDIS_REGISTER_BH;
}

// A general register, or a part of one that begins with its lowest byte.
inline bool is_general(ZydisRegister name) {
    switch (ZydisRegisterGetClass(name)) {
    case ZYDIS_REGCLASS_GPR8: return !is_high_byte(name);
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return true;
    default: return false;
    }
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

inline bool is_vector(ZydisRegister name) {
    const ZydisRegisterClass kind = ZydisRegisterGetClass(name);
    return kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM;
}

}  // namespace backplane::jit
