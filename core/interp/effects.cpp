#include "interp/effects.h"

#include "x86/cpu_state.h"
#include "x86/register_name.h"

#include <optional>
#include <span>

namespace backplane::interp {
namespace {

// What the semantics do, also where the manual leaves flags undefined: a flag that a semantic keeps
// is not replaced. Empty: an instruction of which nothing is known.
std::optional<FlagUse> flag_use(const x86::Instruction& instruction) {
    switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_MOV:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_LEA:
    case ZYDIS_MNEMONIC_NOT:
    case ZYDIS_MNEMONIC_BSWAP:
    case ZYDIS_MNEMONIC_XCHG:
    case ZYDIS_MNEMONIC_CDQE:
    case ZYDIS_MNEMONIC_CDQ:
    case ZYDIS_MNEMONIC_CQO:
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_PUSH:
    case ZYDIS_MNEMONIC_POP: return FlagUse::Leaves;
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_TEST:
    case ZYDIS_MNEMONIC_NEG: return FlagUse::Replaces;
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR: {
        // A count of zero changes nothing.
        const ZydisDecodedOperand& count = instruction.operands[1];
        const unsigned mask = instruction.operands[0].size == 64 ? 63 : 31;
        const bool is_shifted = count.type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
                                (count.imm.value.u & mask) != 0;
        return is_shifted ? FlagUse::Replaces : FlagUse::Changes;
    }
    case ZYDIS_MNEMONIC_IMUL:
        // The form with one operand writes two registers, but not all of its forms do.
        if (instruction.decoded.operand_count_visible == 1) return std::nullopt;
        return FlagUse::Changes;
    case ZYDIS_MNEMONIC_INC:
    case ZYDIS_MNEMONIC_DEC:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC: return FlagUse::Changes;
    case ZYDIS_MNEMONIC_ADC:
    case ZYDIS_MNEMONIC_SBB: return FlagUse::Reads;
    default: break;
    }
    switch (instruction.decoded.meta.category) {
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_SETCC: return FlagUse::Reads;
    default: return std::nullopt;
    }
}

}  // namespace

Effects effects_of(const x86::Instruction& instruction) {
    const auto flags = flag_use(instruction);
    if (!flags) return {};
    Effects effects{.is_known = true, .is_harmless = true, .flags = *flags};
    const bool accesses = instruction.mnemonic() != ZYDIS_MNEMONIC_LEA &&
                          instruction.mnemonic() != ZYDIS_MNEMONIC_NOP;
    unsigned registers_written = 0;
    for (const ZydisDecodedOperand& operand :
         std::span{instruction.operands}.first(instruction.decoded.operand_count)) {
        if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && accesses) effects.is_harmless = false;
        if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
        const ZydisRegister name = operand.reg.value;
        if (x86::is_flags(name)) continue;
        // MOV of segment, control and debug registers.
        if (!x86::is_part_of_general(name)) return {};
        if (!(operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)) continue;
        effects.written |= static_cast<std::uint16_t>(1u << x86::general_number(name));
        ++registers_written;
    }
    const ZydisDecodedOperand& first = instruction.operands[0];
    const bool is_register = first.type == ZYDIS_OPERAND_TYPE_REGISTER;
    const bool writes_first = is_register && (first.actions & ZYDIS_OPERAND_ACTION_WRITE) != 0;
    const bool moves_stack = instruction.mnemonic() == ZYDIS_MNEMONIC_PUSH ||
                             instruction.mnemonic() == ZYDIS_MNEMONIC_POP;
    if (moves_stack && !(writes_first && x86::is_part_of_general(first.reg.value) &&
                         x86::general_number(first.reg.value) == x86::RSP))
        effects.leaves = Left::StackPointer;
    else if (registers_written == 1 && writes_first && first.size >= 32)
        effects.leaves = Left::Reg;
    return effects;
}

}  // namespace backplane::interp
