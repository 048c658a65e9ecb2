// What the decoder says of register operands.
#pragma once

#include <Zydis/Zydis.h>

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

inline bool is_vector(ZydisRegister name) {
    const ZydisRegisterClass kind = ZydisRegisterGetClass(name);
    return kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM;
}

}  // namespace backplane::jit
