#include "x86/instruction.h"

namespace backplane::x86 {

const ZydisDecodedOperand* Instruction::memory_operand() const {
    for (unsigned i = 0; i < decoded.operand_count_visible; ++i) {
        const ZydisDecodedOperand& operand = operands[i];
        if (operand.type != ZYDIS_OPERAND_TYPE_MEMORY) continue;
        if (operand.encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM ||
            operand.encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64)
            return &operand;
    }
    return nullptr;
}

bool ends_block(const Instruction& instruction) {
    switch (instruction.decoded.meta.category) {
    case ZYDIS_CATEGORY_COND_BR:
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_CALL:
    case ZYDIS_CATEGORY_RET:
    case ZYDIS_CATEGORY_INTERRUPT:
    case ZYDIS_CATEGORY_SYSCALL:
    case ZYDIS_CATEGORY_SYSRET: return true;
    default: break;
    }
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_HLT:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
    case ZYDIS_MNEMONIC_SYSENTER:
    case ZYDIS_MNEMONIC_SYSEXIT:
    case ZYDIS_MNEMONIC_RSM:
    case ZYDIS_MNEMONIC_UD0:
    case ZYDIS_MNEMONIC_UD1:
    case ZYDIS_MNEMONIC_UD2: return true;
    default: return false;
    }
}

std::optional<std::uint64_t> branch_target(const Instruction& instruction) {
    const ZydisDecodedOperand& operand = instruction.operands[0];
    if (instruction.decoded.operand_count_visible == 0 ||
        operand.type != ZYDIS_OPERAND_TYPE_IMMEDIATE || !operand.imm.is_relative)
        return std::nullopt;
    const std::uint64_t target = instruction.next_ip() + operand.imm.value.u;
    switch (instruction.decoded.operand_width) {
    case 16: return static_cast<std::uint16_t>(target);
    case 32: return static_cast<std::uint32_t>(target);
    default: return target;
    }
}

}  // namespace backplane::x86
