// Instruction bytes from a mnemonic and operands, so that tests need not spell encodings.
#pragma once

#include <Zydis/Zydis.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace backplane::x86::testing {

struct MemoryOperand {
    ZydisRegister base = ZYDIS_REGISTER_NONE;
    ZydisRegister index = ZYDIS_REGISTER_NONE;
    std::uint8_t scale = 0;
    std::int64_t displacement = 0;
    std::uint16_t bytes = 8;
};

inline ZydisEncoderOperand reg(ZydisRegister name) {
    ZydisEncoderOperand operand{};
    operand.type = ZYDIS_OPERAND_TYPE_REGISTER;
    operand.reg.value = name;
    return operand;
}

inline ZydisEncoderOperand imm(std::int64_t value) {
    ZydisEncoderOperand operand{};
    operand.type = ZYDIS_OPERAND_TYPE_IMMEDIATE;
    operand.imm.s = value;
    return operand;
}

inline ZydisEncoderOperand mem(const MemoryOperand& memory) {
    ZydisEncoderOperand operand{};
    operand.type = ZYDIS_OPERAND_TYPE_MEMORY;
    operand.mem.base = memory.base;
    operand.mem.index = memory.index;
    operand.mem.scale = memory.scale;
    operand.mem.displacement = memory.displacement;
    operand.mem.size = memory.bytes;
    return operand;
}

// Empty when there is no such form.
inline std::vector<std::uint8_t> encode(ZydisMnemonic mnemonic,
                                        const std::vector<ZydisEncoderOperand>& operands,
                                        ZydisInstructionAttributes prefixes = 0,
                                        ZydisMachineMode mode = ZYDIS_MACHINE_MODE_LONG_64) {
    ZydisEncoderRequest request{};
    request.machine_mode = mode;
    request.mnemonic = mnemonic;
    request.prefixes = prefixes;
    request.operand_count = static_cast<ZyanU8>(operands.size());
    for (std::size_t i = 0; i < operands.size(); ++i)
        request.operands[i] = operands[i];
    std::vector<std::uint8_t> bytes(ZYDIS_MAX_INSTRUCTION_LENGTH);
    ZyanUSize length = bytes.size();
    if (ZYAN_FAILED(ZydisEncoderEncodeInstruction(&request, bytes.data(), &length))) return {};
    bytes.resize(length);
    return bytes;
}

// The general register `number` at a width in bits.
inline ZydisRegister general(unsigned number, unsigned width) {
    const ZydisRegisterClass kind = width == 8    ? ZYDIS_REGCLASS_GPR8
                                    : width == 16 ? ZYDIS_REGCLASS_GPR16
                                    : width == 32 ? ZYDIS_REGCLASS_GPR32
                                                  : ZYDIS_REGCLASS_GPR64;
    // Zydis counts AH to BH between BL and SPL.
    const unsigned id = width == 8 && number >= 4 ? number + 4 : number;
    return ZydisRegisterEncode(kind, static_cast<ZyanU8>(id));
}

}  // namespace backplane::x86::testing
