// Which instructions are translated, and those that are not executed as they are.
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/host_features.h"

#include <cstddef>

namespace backplane::jit {
namespace {

using x86::Feature;

// The host's processor has it, as the guest's does.
bool host_has(ZydisISAExt extension) {
    const x86::FeatureSet& host = x86::host_features();
    switch (extension) {
    case ZYDIS_ISA_EXT_SSE:
    case ZYDIS_ISA_EXT_SSE2: return true;
    case ZYDIS_ISA_EXT_SSE3: return host.has(Feature::Sse3);
    case ZYDIS_ISA_EXT_SSSE3: return host.has(Feature::Ssse3);
    case ZYDIS_ISA_EXT_SSE4: return host.has(Feature::Sse41) && host.has(Feature::Sse42);
    case ZYDIS_ISA_EXT_AES: return host.has(Feature::Aes);
    case ZYDIS_ISA_EXT_PCLMULQDQ: return host.has(Feature::Pclmulqdq);
    case ZYDIS_ISA_EXT_AVX: return host.has(Feature::Avx);
    case ZYDIS_ISA_EXT_AVX2: return host.has(Feature::Avx2);
    case ZYDIS_ISA_EXT_AVXAES: return host.has(Feature::Avx) && host.has(Feature::Aes);
    case ZYDIS_ISA_EXT_FMA: return host.has(Feature::Fma);
    case ZYDIS_ISA_EXT_F16C: return host.has(Feature::F16c);
    default: return false;
    }
}

}  // namespace

bool Translator::translate_instruction() {
    if (!is_code64() && !has_flat_operands()) return false;
    if (instruction_->decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE) note_x87();
    note_x87_operand();
    if (visible_operands() > 0 &&
        instruction_->decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX &&
        instruction_->decoded.meta.isa_ext != ZYDIS_ISA_EXT_BMI1 &&
        instruction_->decoded.meta.isa_ext != ZYDIS_ISA_EXT_BMI2)
        return translate_vector();
    return translate_integer() || translate_x87() || translate_vector();
}

// Branches and stack operations as wide as the code; a prefix makes them smaller ones, in 64-bit
// code on some processors.
bool Translator::is_plain() const {
    return instruction_->decoded.operand_width == word() * 8 &&
           !instruction_->has(ZYDIS_ATTRIB_HAS_OPERANDSIZE);
}

// Addresses of 16 bits wrap earlier than those of their segment, and CS is for reading.
bool Translator::has_flat_operands() const {
    if (instruction_->decoded.address_width != 32) return false;
    for (unsigned i = 0; i < visible_operands(); ++i)
        if (operand(i).type == ZYDIS_OPERAND_TYPE_MEMORY &&
            operand(i).mem.segment == ZYDIS_REGISTER_CS &&
            (operand(i).actions & ZYDIS_OPERAND_ACTION_MASK_WRITE))
            return false;
    return true;
}

bool Translator::translate_integer() {
    const x86::FeatureSet& host = x86::host_features();
    switch (instruction_->mnemonic()) {
    case ZYDIS_MNEMONIC_ADD:
    case ZYDIS_MNEMONIC_ADC:
    case ZYDIS_MNEMONIC_SUB:
    case ZYDIS_MNEMONIC_SBB:
    case ZYDIS_MNEMONIC_CMP:
    case ZYDIS_MNEMONIC_AND:
    case ZYDIS_MNEMONIC_OR:
    case ZYDIS_MNEMONIC_XOR:
    case ZYDIS_MNEMONIC_TEST:
    case ZYDIS_MNEMONIC_NEG:
    case ZYDIS_MNEMONIC_NOT:
    case ZYDIS_MNEMONIC_INC:
    case ZYDIS_MNEMONIC_DEC:
    case ZYDIS_MNEMONIC_MOVZX:
    case ZYDIS_MNEMONIC_MOVSX:
    case ZYDIS_MNEMONIC_MOVSXD:
    case ZYDIS_MNEMONIC_SHL:
    case ZYDIS_MNEMONIC_SHR:
    case ZYDIS_MNEMONIC_SAR:
    case ZYDIS_MNEMONIC_ROL:
    case ZYDIS_MNEMONIC_ROR:
    case ZYDIS_MNEMONIC_RCL:
    case ZYDIS_MNEMONIC_RCR:
    case ZYDIS_MNEMONIC_SHLD:
    case ZYDIS_MNEMONIC_SHRD:
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR:
    case ZYDIS_MNEMONIC_XADD:
    case ZYDIS_MNEMONIC_MOVNTI: return translate_generic(false);
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC: return bit_string() || translate_generic(false);
    case ZYDIS_MNEMONIC_XCHG: return exchange_alone() || translate_generic(false);
    case ZYDIS_MNEMONIC_BSWAP: return operand(0).size >= 32 && translate_generic(false);
    case ZYDIS_MNEMONIC_MOV:
        return load_immediate() || move_absolute() || read_control_register() ||
               read_segment_register() || translate_generic(false);
    case ZYDIS_MNEMONIC_LEA: return load_effective_address();
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
    case ZYDIS_MNEMONIC_PREFETCHNTA:
    case ZYDIS_MNEMONIC_PREFETCHW: keeps_window_ = true; return true;
    case ZYDIS_MNEMONIC_PAUSE:
        for (const unsigned byte : {0xf3, 0x90})
            code_.byte(byte);
        keeps_window_ = true;
        return true;
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
        for (const unsigned byte : {0x0fu, 0xaeu, 0xc0u | instruction_->decoded.raw.modrm.reg << 3})
            code_.byte(byte);
        return true;
    case ZYDIS_MNEMONIC_CLC:
    case ZYDIS_MNEMONIC_STC:
    case ZYDIS_MNEMONIC_CMC:
        restore_flags();
        code_.byte(instruction_->decoded.opcode);
        made_flags();
        return true;
    case ZYDIS_MNEMONIC_POPCNT: return host.has(Feature::Popcnt) && translate_generic(false);
    case ZYDIS_MNEMONIC_LZCNT: return host.has(Feature::Lzcnt) && translate_generic(false);
    case ZYDIS_MNEMONIC_MOVBE: return host.has(Feature::Movbe) && translate_generic(false);
    case ZYDIS_MNEMONIC_CRC32: return host.has(Feature::Sse42) && translate_generic(false);
    case ZYDIS_MNEMONIC_TZCNT:
    case ZYDIS_MNEMONIC_ANDN:
    case ZYDIS_MNEMONIC_BEXTR:
    case ZYDIS_MNEMONIC_BLSI:
    case ZYDIS_MNEMONIC_BLSMSK:
    case ZYDIS_MNEMONIC_BLSR: return host.has(Feature::Bmi1) && translate_generic(false);
    case ZYDIS_MNEMONIC_BZHI:
    case ZYDIS_MNEMONIC_PDEP:
    case ZYDIS_MNEMONIC_PEXT:
    case ZYDIS_MNEMONIC_RORX:
    case ZYDIS_MNEMONIC_SARX:
    case ZYDIS_MNEMONIC_SHLX:
    case ZYDIS_MNEMONIC_SHRX: return host.has(Feature::Bmi2) && translate_generic(false);
    case ZYDIS_MNEMONIC_ADCX:
    case ZYDIS_MNEMONIC_ADOX: return host.has(Feature::Adx) && translate_generic(false);
    case ZYDIS_MNEMONIC_IMUL:
        return visible_operands() == 1 ? multiply() : translate_generic(false);
    case ZYDIS_MNEMONIC_MUL: return multiply();
    case ZYDIS_MNEMONIC_DIV:
    case ZYDIS_MNEMONIC_IDIV: return divide();
    case ZYDIS_MNEMONIC_CMPXCHG: return compare_exchange();
    case ZYDIS_MNEMONIC_CMPXCHG16B: return compare_exchange_pair();
    case ZYDIS_MNEMONIC_CBW:
    case ZYDIS_MNEMONIC_CWDE:
    case ZYDIS_MNEMONIC_CDQE:
    case ZYDIS_MNEMONIC_CWD:
    case ZYDIS_MNEMONIC_CDQ:
    case ZYDIS_MNEMONIC_CQO: return convert_accumulator();
    case ZYDIS_MNEMONIC_PUSH: {
        if (!is_plain()) return false;
        const ZydisOperand& value = operand(0);
        if (value.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return push_immediate();
        if (value.type == ZYDIS_OPERAND_TYPE_MEMORY) return push_memory();
        return is_general(value, word() * 8) && push_register(number_of(value.reg.value));
    }
    case ZYDIS_MNEMONIC_POP: return pop();
    case ZYDIS_MNEMONIC_PUSHFD:
    case ZYDIS_MNEMONIC_PUSHFQ: return push_flags();
    case ZYDIS_MNEMONIC_CLI: return clear_interrupt_flag();
    case ZYDIS_MNEMONIC_STI: return set_interrupt_flag();
    case ZYDIS_MNEMONIC_CLD: return set_direction(false);
    case ZYDIS_MNEMONIC_STD: return set_direction(true);
    case ZYDIS_MNEMONIC_SWAPGS: return swap_gs();
    case ZYDIS_MNEMONIC_LEAVE: return leave_frame();
    case ZYDIS_MNEMONIC_CALL: return call();
    case ZYDIS_MNEMONIC_RET: return ret();
    case ZYDIS_MNEMONIC_JMP: return jmp();
    default: break;
    }
    switch (instruction_->decoded.meta.category) {
    case ZYDIS_CATEGORY_COND_BR: return jcc();
    case ZYDIS_CATEGORY_STRINGOP: return string_operation();
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_SETCC: return translate_generic(false);
    default: return false;
    }
}

// Those whose registers are XMM or YMM registers, but for what needs more than its operands say.
bool Translator::translate_vector() {
    if (!host_has(instruction_->decoded.meta.isa_ext)) return false;
    switch (instruction_->mnemonic()) {
    case ZYDIS_MNEMONIC_VZEROUPPER: {
        need_vectors(2);
        zero_upper_halves();
        return true;
    }
    case ZYDIS_MNEMONIC_MASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVDQU:
    case ZYDIS_MNEMONIC_VMASKMOVPS:
    case ZYDIS_MNEMONIC_VMASKMOVPD:
    case ZYDIS_MNEMONIC_VPMASKMOVD:
    case ZYDIS_MNEMONIC_VPMASKMOVQ: return false;
    default: break;
    }
    bool has_vector = false;
    for (unsigned i = 0; i < visible_operands(); ++i)
        has_vector |= operand(i).type == ZYDIS_OPERAND_TYPE_REGISTER &&
                      is_vector(operand(i).reg.value);
    return has_vector && translate_generic(true);
}

// VZEROUPPER; of the eight registers of 32-bit code only (SDM 2, VZEROUPPER), each by a move onto
// itself.
void Translator::zero_upper_halves() {
    if (is_code64()) {
        for (const unsigned byte : {0xc5, 0xf8, 0x77})
            code_.byte(byte);
        return;
    }
    for (unsigned number = 0; number < 8; ++number)
        code_.emit({.byte = 0x28, .map = OpcodeMap::Escape0F, .vex = true}, number,
                   Operand::of(static_cast<std::uint8_t>(number)));
}

// ---- Moves ----

bool Translator::load_immediate() {
    const std::uint8_t opcode = instruction_->decoded.opcode;
    const bool is_short = instruction_->decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
                          (opcode & 0xf8) == 0xb8;
    if (!is_short || operand(0).size < 32) return false;
    const unsigned guest = number_of(operand(0).reg.value);
    std::uint64_t value = instruction_->decoded.raw.imm[0].value.u;
    if (operand(0).size == 32) value &= 0xffff'ffff;
    code_.load_immediate(is_pinned(guest) ? pinned(guest) : scratch, value);
    if (!is_pinned(guest)) code_.store(slot(guest), scratch);
    keeps_window_ = is_pinned(guest);
    wrote(guest);
    return true;
}

// The accumulator, and memory at an address in the instruction.
bool Translator::move_absolute() {
    const std::uint8_t opcode = instruction_->decoded.opcode;
    if (instruction_->decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT || (opcode & 0xfc) != 0xa0)
        return false;
    const bool stores = (opcode & 2) != 0;
    const ZydisOperand& memory = operand(stores ? 0 : 1);
    const Operand place = access(memory, stores ? Access::Write : Access::Read, false);
    code_.emit({.byte = static_cast<std::uint8_t>((stores ? 0x88 : 0x8a) | (opcode & 1)),
                .operand16 = memory.size == 16,
                .wide = memory.size == 64},
               pinned(x86::RAX), place);
    if (!stores) wrote(x86::RAX);
    keeps_window_ = true;
    return true;
}

bool Translator::load_effective_address() {
    const unsigned guest = number_of(operand(0).reg.value);
    if (operand(0).size == 16) return false;
    const auto& mem = operand(1).mem;
    const auto is_in_memory = [](ZydisRegister name) {
        return name != ZYDIS_REGISTER_NONE && is_general(name) && !is_pinned(number_of(name));
    };
    const bool is_relative = mem.base == ZYDIS_REGISTER_RIP || mem.base == ZYDIS_REGISTER_EIP;
    const Host to = is_pinned(guest) ? pinned(guest) : scratch;
    const Host by = is_relative ? to : scratch;
    const bool wide = address_width_ == 64 && operand(0).size == 64;
    form_effective_address(to, operand(1), by, wide);
    if (!is_pinned(guest)) set(guest, to);
    keeps_window_ = is_pinned(guest) && !is_in_memory(mem.base) && !is_in_memory(mem.index);
    wrote(guest);
    return true;
}

// CBW to CDQE are sign extensions of a register; CWD to CQO need the accumulator for a moment.
bool Translator::convert_accumulator() {
    const Host accumulator = pinned(x86::RAX);
    const auto extend = [&](const Opcode& opcode) {
        code_.emit(opcode, accumulator, Operand::of(accumulator));
    };
    switch (instruction_->mnemonic()) {
    case ZYDIS_MNEMONIC_CBW:
        extend(
            {.byte = 0xbe, .map = OpcodeMap::Escape0F, .operand16 = true, .byte_registers = true});
        return true;
    case ZYDIS_MNEMONIC_CWDE: extend({.byte = 0xbf, .map = OpcodeMap::Escape0F}); return true;
    case ZYDIS_MNEMONIC_CDQE: extend({.byte = 0x63, .wide = true}); return true;
    default: break;
    }
    code_.mov(scratch, rax);
    code_.mov(rax, accumulator);
    if (instruction_->mnemonic() == ZYDIS_MNEMONIC_CWD) code_.byte(0x66);
    if (instruction_->mnemonic() == ZYDIS_MNEMONIC_CQO) code_.byte(0x48);
    code_.byte(0x99);
    code_.mov(rax, scratch);
    return true;
}

}  // namespace backplane::jit
