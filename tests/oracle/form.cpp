#include "form.h"

#include <cctype>
#include <cstdio>

namespace backplane::oracle {
namespace {

using x86::Instruction;

bool is_lock_form(const Instruction& instruction) { return instruction.has_lock(); }

std::string operand_text(const ZydisDecodedOperand& operand) {
    const std::string bits = std::to_string(operand.size);
    switch (operand.type) {
    case ZYDIS_OPERAND_TYPE_MEMORY:
        if (operand.mem.type == ZYDIS_MEMOP_TYPE_AGEN) return "address";
        if (operand.mem.type == ZYDIS_MEMOP_TYPE_VSIB) return "vm" + bits;
        return operand.encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64 ? "moffs" + bits
                                                                       : "m" + bits;
    case ZYDIS_OPERAND_TYPE_POINTER: return "ptr" + bits;
    case ZYDIS_OPERAND_TYPE_IMMEDIATE: return (operand.imm.is_relative ? "rel" : "imm") + bits;
    case ZYDIS_OPERAND_TYPE_REGISTER: break;
    default: return "?";
    }
    // A register that the opcode itself names is part of the form.
    const bool is_fixed = operand.encoding == ZYDIS_OPERAND_ENCODING_NONE;
    if (is_fixed) return ZydisRegisterGetString(operand.reg.value);
    switch (ZydisRegisterGetClass(operand.reg.value)) {
    case ZYDIS_REGCLASS_GPR8:
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return "r" + bits;
    case ZYDIS_REGCLASS_X87: return "st";
    case ZYDIS_REGCLASS_MMX: return "mm";
    case ZYDIS_REGCLASS_XMM: return "xmm";
    case ZYDIS_REGCLASS_YMM: return "ymm";
    case ZYDIS_REGCLASS_ZMM: return "zmm";
    case ZYDIS_REGCLASS_SEGMENT: return "sreg";
    case ZYDIS_REGCLASS_CONTROL: return "cr";
    case ZYDIS_REGCLASS_DEBUG: return "dr";
    case ZYDIS_REGCLASS_TEST: return "tr";
    case ZYDIS_REGCLASS_MASK: return "k";
    default: return ZydisRegisterGetString(operand.reg.value);
    }
}

const char* encoding_text(ZydisInstructionEncoding encoding) {
    switch (encoding) {
    case ZYDIS_INSTRUCTION_ENCODING_LEGACY: return "legacy";
    case ZYDIS_INSTRUCTION_ENCODING_3DNOW: return "3dnow";
    case ZYDIS_INSTRUCTION_ENCODING_XOP: return "xop";
    case ZYDIS_INSTRUCTION_ENCODING_VEX: return "vex";
    case ZYDIS_INSTRUCTION_ENCODING_EVEX: return "evex";
    default: return "mvex";
    }
}

const char* map_text(ZydisOpcodeMap map) {
    switch (map) {
    case ZYDIS_OPCODE_MAP_0F: return "0f ";
    case ZYDIS_OPCODE_MAP_0F38: return "0f 38 ";
    case ZYDIS_OPCODE_MAP_0F3A: return "0f 3a ";
    default: return "";
    }
}

class Hash {
public:
    void add(std::uint64_t value) {
        value_ = (value_ ^ value) * 0x9e37'79b9'7f4a'7c15;
        value_ ^= value_ >> 29;
    }
    std::uint64_t value() const { return value_; }

private:
    std::uint64_t value_ = 0x5851'f42d'4c95'7f2d;
};

std::uint64_t operand_key(const ZydisDecodedOperand& operand) {
    std::uint64_t key = static_cast<std::uint64_t>(operand.type) << 16 | operand.size;
    if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY)
        key |= static_cast<std::uint64_t>(operand.mem.type) << 24 |
               static_cast<std::uint64_t>(operand.encoding == ZYDIS_OPERAND_ENCODING_DISP16_32_64)
                   << 32;
    if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
        key |= static_cast<std::uint64_t>(operand.imm.is_relative) << 24;
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER)
        key |= operand.encoding == ZYDIS_OPERAND_ENCODING_NONE
                   ? static_cast<std::uint64_t>(operand.reg.value) << 40
                   : static_cast<std::uint64_t>(ZydisRegisterGetClass(operand.reg.value)) << 24;
    return key;
}

}  // namespace

std::uint64_t form_key(const Instruction& instruction) {
    const ZydisDecodedInstruction& decoded = instruction.decoded;
    Hash hash;
    hash.add(static_cast<std::uint64_t>(instruction.code_size) << 48 |
             static_cast<std::uint64_t>(decoded.mnemonic) << 32 |
             static_cast<std::uint64_t>(decoded.encoding) << 24 |
             static_cast<std::uint64_t>(decoded.opcode_map) << 16 |
             static_cast<std::uint64_t>(is_lock_form(instruction)) << 8 | decoded.opcode);
    for (unsigned i = 0; i < decoded.operand_count_visible; ++i)
        hash.add(operand_key(instruction.operands[i]));
    return hash.value();
}

std::string form_text(const Instruction& instruction) {
    const ZydisDecodedInstruction& decoded = instruction.decoded;
    std::string text = is_lock_form(instruction) ? "LOCK " : "";
    for (const char* letter = ZydisMnemonicGetString(decoded.mnemonic); *letter; ++letter)
        text += static_cast<char>(std::toupper(*letter));
    for (unsigned i = 0; i < decoded.operand_count_visible; ++i)
        text += (i == 0 ? " " : ", ") + operand_text(instruction.operands[i]);
    char opcode[8];
    std::snprintf(opcode, sizeof opcode, "%02x", decoded.opcode);
    return text + " (" + encoding_text(decoded.encoding) + " " + map_text(decoded.opcode_map) +
           opcode + ")";
}

}  // namespace backplane::oracle
