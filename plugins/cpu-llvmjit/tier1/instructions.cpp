// Which instructions are translated, and those that are not executed as they are.
#include "tier1/core_offsets.h"
#include "tier1/translator.h"
#include "x86/flags.h"
#include "x86/host_features.h"

#include <cstddef>

namespace backplane::jit {
namespace {

using x86::Feature;

// By their number in Jcc.
constexpr unsigned above_equal = 3, not_equal = 5, below_equal = 6;

unsigned number_of(ZydisRegister name) {
    return static_cast<unsigned>(
        ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name)));
}

bool is_general(const ZydisDecodedOperand& operand, unsigned size) {
    if (operand.type != ZYDIS_OPERAND_TYPE_REGISTER || operand.size != size) return false;
    switch (ZydisRegisterGetClass(operand.reg.value)) {
    case ZYDIS_REGCLASS_GPR8:
        return operand.reg.value < ZYDIS_REGISTER_AH || operand.reg.value > ZYDIS_REGISTER_BH;
    case ZYDIS_REGCLASS_GPR16:
    case ZYDIS_REGCLASS_GPR32:
    case ZYDIS_REGCLASS_GPR64: return true;
    default: return false;
    }
}

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
    if (visible_operands() > 0 && instruction_.decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX &&
        instruction_.decoded.meta.isa_ext != ZYDIS_ISA_EXT_BMI1 &&
        instruction_.decoded.meta.isa_ext != ZYDIS_ISA_EXT_BMI2)
        return translate_vector();
    return translate_integer() || translate_vector();
}

// Branches and stack operations of 64 bits; a prefix makes them smaller ones on some processors.
bool Translator::is_plain64() const {
    return instruction_.decoded.operand_width == 64 &&
           !instruction_.has(ZYDIS_ATTRIB_HAS_OPERANDSIZE);
}

bool Translator::translate_integer() {
    const x86::FeatureSet& host = x86::host_features();
    switch (instruction_.mnemonic()) {
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
    case ZYDIS_MNEMONIC_BT:
    case ZYDIS_MNEMONIC_BTS:
    case ZYDIS_MNEMONIC_BTR:
    case ZYDIS_MNEMONIC_BTC:
    case ZYDIS_MNEMONIC_BSF:
    case ZYDIS_MNEMONIC_BSR:
    case ZYDIS_MNEMONIC_XADD:
    case ZYDIS_MNEMONIC_MOVNTI: return translate_generic(false);
    case ZYDIS_MNEMONIC_XCHG: return translate_generic(false);
    case ZYDIS_MNEMONIC_BSWAP: return operand(0).size >= 32 && translate_generic(false);
    case ZYDIS_MNEMONIC_MOV: return load_immediate() || translate_generic(false);
    case ZYDIS_MNEMONIC_LEA: return load_effective_address();
    case ZYDIS_MNEMONIC_NOP:
    case ZYDIS_MNEMONIC_PREFETCHT0:
    case ZYDIS_MNEMONIC_PREFETCHT1:
    case ZYDIS_MNEMONIC_PREFETCHT2:
    case ZYDIS_MNEMONIC_PREFETCHNTA: return true;
    case ZYDIS_MNEMONIC_LFENCE:
    case ZYDIS_MNEMONIC_SFENCE:
    case ZYDIS_MNEMONIC_MFENCE:
        for (const unsigned byte : {0x0fu, 0xaeu, 0xc0u | instruction_.decoded.raw.modrm.reg << 3})
            code_.byte(byte);
        return true;
    case ZYDIS_MNEMONIC_CLC:
    case ZYDIS_MNEMONIC_STC:
    case ZYDIS_MNEMONIC_CMC:
        restore_flags();
        code_.byte(instruction_.decoded.opcode);
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
    case ZYDIS_MNEMONIC_CBW:
    case ZYDIS_MNEMONIC_CWDE:
    case ZYDIS_MNEMONIC_CDQE:
    case ZYDIS_MNEMONIC_CWD:
    case ZYDIS_MNEMONIC_CDQ:
    case ZYDIS_MNEMONIC_CQO: return convert_accumulator();
    case ZYDIS_MNEMONIC_PUSH: {
        if (!is_plain64()) return false;
        const ZydisOperand& value = operand(0);
        if (value.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) return push_immediate();
        if (value.type == ZYDIS_OPERAND_TYPE_MEMORY) return push_memory();
        return is_general(value, 64) && push_register(number_of(value.reg.value));
    }
    case ZYDIS_MNEMONIC_POP: return pop();
    case ZYDIS_MNEMONIC_LEAVE: return leave_frame();
    case ZYDIS_MNEMONIC_CALL: return call();
    case ZYDIS_MNEMONIC_RET: return ret();
    case ZYDIS_MNEMONIC_JMP: return jmp();
    default: break;
    }
    switch (instruction_.decoded.meta.category) {
    case ZYDIS_CATEGORY_COND_BR: return jcc();
    case ZYDIS_CATEGORY_CMOV:
    case ZYDIS_CATEGORY_SETCC: return translate_generic(false);
    default: return false;
    }
}

// Those whose registers are XMM or YMM registers, but for what needs more than its operands say.
bool Translator::translate_vector() {
    if (!host_has(instruction_.decoded.meta.isa_ext)) return false;
    switch (instruction_.mnemonic()) {
    case ZYDIS_MNEMONIC_VZEROUPPER: {
        need_vectors(2);
        for (const unsigned byte : {0xc5, 0xf8, 0x77})
            code_.byte(byte);
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
    for (unsigned i = 0; i < visible_operands(); ++i) {
        if (operand(i).type != ZYDIS_OPERAND_TYPE_REGISTER) continue;
        const ZydisRegisterClass kind = ZydisRegisterGetClass(operand(i).reg.value);
        has_vector |= kind == ZYDIS_REGCLASS_XMM || kind == ZYDIS_REGCLASS_YMM;
    }
    return has_vector && translate_generic(true);
}

// ---- Moves ----

bool Translator::load_immediate() {
    const std::uint8_t opcode = instruction_.decoded.opcode;
    const bool is_short = instruction_.decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
                          (opcode & 0xf8) == 0xb8;
    if (!is_short || operand(0).size < 32) return false;
    const unsigned guest = number_of(operand(0).reg.value);
    std::uint64_t value = instruction_.decoded.raw.imm[0].value.u;
    if (operand(0).size == 32) value &= 0xffff'ffff;
    code_.load_immediate(is_pinned(guest) ? pinned(guest) : scratch, value);
    if (!is_pinned(guest)) code_.store(slot(guest), scratch);
    return true;
}

bool Translator::load_effective_address() {
    const unsigned guest = number_of(operand(0).reg.value);
    if (operand(0).size == 16) return false;
    form_effective_address(scratch, operand(1));
    if (operand(0).size == 32) code_.mov32(scratch, scratch);
    set(guest, scratch);
    return true;
}

// CBW to CDQE are sign extensions of a register; CWD to CQO need the accumulator for a moment.
bool Translator::convert_accumulator() {
    const Host accumulator = pinned(x86::RAX);
    const auto extend = [&](const Opcode& opcode) {
        code_.emit(opcode, accumulator, Operand::of(accumulator));
    };
    switch (instruction_.mnemonic()) {
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
    if (instruction_.mnemonic() == ZYDIS_MNEMONIC_CWD) code_.byte(0x66);
    if (instruction_.mnemonic() == ZYDIS_MNEMONIC_CQO) code_.byte(0x48);
    code_.byte(0x99);
    code_.mov(rax, scratch);
    return true;
}

// ---- Multiplication and division: the accumulator is in RAX for the moment ----

bool Translator::multiply() {
    const ZydisOperand& factor = operand(0);
    Operand place;
    if (factor.type == ZYDIS_OPERAND_TYPE_MEMORY)
        place = access(factor, Access::Read, false);
    else if (is_general(factor, factor.size))
        place = place_of(number_of(factor.reg.value));
    else
        return false;
    restore_flags();  // those it leaves undefined
    code_.mov(rax, pinned(x86::RAX));
    code_.emit({.byte = static_cast<std::uint8_t>(factor.size == 8 ? 0xf6 : 0xf7),
                .operand16 = factor.size == 16,
                .wide = factor.size == 64,
                .byte_registers = factor.size == 8},
               instruction_.decoded.raw.modrm.reg, place);
    code_.mov(pinned(x86::RAX), rax);
    made_flags();
    return true;
}

// Only what surely gives a quotient: SDM 2, DIV and IDIV raise #DE for all others.
bool Translator::divide() {
    const ZydisOperand& divisor = operand(0);
    const bool wide = divisor.size == 64;
    if (divisor.size < 32) return false;
    const Host low = pinned(x86::RAX), high = pinned(x86::RDX);
    if (divisor.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        const Operand place = access(divisor, Access::Read, false);
        code_.emit({.byte = 0x8b, .wide = wide}, scratch2, place);
    } else {
        code_.emit({.byte = 0x8b, .wide = wide}, scratch2, place_of(number_of(divisor.reg.value)));
    }
    lose_flags();
    const auto compare = [&](Host a, Host b) {
        code_.emit({.byte = 0x3b, .wide = wide}, a, Operand::of(b));
    };
    if (instruction_.mnemonic() == ZYDIS_MNEMONIC_DIV) {
        compare(high, scratch2);
        leave_if(above_equal);
    } else {
        // The dividend fits one register, and the divisor is neither 0 nor -1.
        if (wide) {
            code_.mov(scratch, low);
            code_.sar(scratch, 63);
        } else {
            code_.mov32(scratch, low);
            code_.sar32(scratch, 31);
        }
        compare(scratch, high);
        leave_if(not_equal);
        code_.emit({.byte = 0x8d, .wide = wide}, scratch, Operand::at(scratch2, 1));
        code_.emit({.byte = 0x83, .wide = wide}, 7, Operand::of(scratch), 1, 1);
        leave_if(below_equal);
    }
    code_.mov(scratch, rax);
    code_.mov(rax, low);
    code_.emit({.byte = 0xf7, .wide = wide}, instruction_.decoded.raw.modrm.reg,
               Operand::of(scratch2));
    code_.mov(low, rax);
    code_.mov(rax, scratch);
    return true;
}

bool Translator::compare_exchange() {
    const ZydisOperand &place = operand(0), &value = operand(1);
    if (!is_general(value, value.size)) return false;
    const unsigned guest = number_of(value.reg.value);
    const unsigned size = value.size;
    Opcode opcode{.byte = static_cast<std::uint8_t>(size == 8 ? 0xb0 : 0xb1),
                  .map = OpcodeMap::Escape0F,
                  .operand16 = size == 16,
                  .wide = size == 64,
                  .locked = instruction_.has_lock(),
                  .byte_registers = size == 8};
    Operand where;
    if (place.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        where = access(place, Access::Write, true);
    } else {
        if (!is_general(place, size)) return false;
        const unsigned destination = number_of(place.reg.value);
        if (destination == x86::RAX || !is_pinned(destination)) return false;
        where = Operand::of(pinned(destination));
    }
    const Host source = value_of(guest, scratch2);
    code_.mov(rax, pinned(x86::RAX));
    code_.emit(opcode, source, where);
    code_.mov(pinned(x86::RAX), rax);
    made_flags();
    return true;
}

// ---- The stack ----

bool Translator::push_register(unsigned guest) {
    const Host stack = pinned(x86::RSP);
    code_.lea(scratch, Operand::at(stack, -8));
    const Operand place = check(Access::Write, 8, !is_pinned(guest));
    code_.store(place, value_of(guest, scratch2));
    code_.lea(stack, Operand::at(stack, -8));
    return true;
}

bool Translator::push_immediate() {
    const Host stack = pinned(x86::RSP);
    code_.lea(scratch, Operand::at(stack, -8));
    const Operand place = check(Access::Write, 8, false);
    code_.emit({.byte = 0xc7, .wide = true}, 0, place, instruction_.decoded.raw.imm[0].value.u, 4);
    code_.lea(stack, Operand::at(stack, -8));
    return true;
}

bool Translator::push_memory() {
    const Host stack = pinned(x86::RSP);
    const Operand from = access(operand(0), Access::Read, false);
    code_.load(scratch2, from);
    code_.store(offset_of::operand(offset_of::kept), scratch2);
    code_.lea(scratch, Operand::at(stack, -8));
    const Operand place = check(Access::Write, 8, true);
    code_.load(scratch2, offset_of::operand(offset_of::kept));
    code_.store(place, scratch2);
    code_.lea(stack, Operand::at(stack, -8));
    return true;
}

bool Translator::pop() {
    if (!is_plain64() || !is_general(operand(0), 64)) return false;
    const unsigned guest = number_of(operand(0).reg.value);
    const Host stack = pinned(x86::RSP);
    code_.mov(scratch, stack);
    const Operand place = check(Access::Read, 8, false);
    code_.load(is_pinned(guest) ? pinned(guest) : scratch, place);
    if (guest != x86::RSP) code_.lea(stack, Operand::at(stack, 8));
    if (!is_pinned(guest)) code_.store(slot(guest), scratch);
    return true;
}

bool Translator::leave_frame() {
    if (!is_plain64()) return false;
    const Host frame = pinned(x86::RBP), stack = pinned(x86::RSP);
    code_.mov(scratch, frame);
    const Operand place = check(Access::Read, 8, false);
    code_.lea(stack, Operand::at(frame, 8));
    code_.load(frame, place);
    return true;
}

// ---- Branches ----

bool Translator::jcc() {
    const bool is_conditional = instruction_.decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NONE &&
                                is_plain64();
    const std::uint8_t opcode = instruction_.decoded.opcode;
    const bool is_short = instruction_.decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
                          (opcode & 0xf0) == 0x70;
    const bool is_near = instruction_.decoded.opcode_map == ZYDIS_OPCODE_MAP_0F &&
                         (opcode & 0xf0) == 0x80;
    if (!is_conditional || !(is_short || is_near)) return false;
    const std::uint32_t target = next_offset_ + static_cast<std::uint32_t>(
                                                    instruction_.decoded.raw.imm[0].value.s);
    restore_flags();
    keep_flags();
    if (is_direct(target)) {
        native_->taken.target_offset = target;
        open_edges_.push_back({&native_->taken, Way::LeaveTaken, code_.jump_if(opcode & 15)});
    } else {
        const auto not_taken = code_.jump_if((opcode & 15) ^ 1);
        go_far(target);
        code_.patch_here(not_taken);
    }
    // What is not taken goes on, as behind any other instruction.
    return true;
}

bool Translator::jmp() {
    if (!is_plain64()) return false;
    const ZydisOperand& target = operand(0);
    if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        keep_flags();
        const std::uint32_t offset = next_offset_ + static_cast<std::uint32_t>(
                                                        instruction_.decoded.raw.imm[0].value.s);
        if (is_direct(offset))
            end_with(native_->taken, Way::LeaveTaken, offset);
        else
            go_far(offset);
        ended_ = true;
        return true;
    }
    if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (target.size != 64) return false;
        code_.load(scratch, access(target, Access::Read, false));
    } else if (is_general(target, 64)) {
        lose_flags();
        const unsigned guest = number_of(target.reg.value);
        if (is_pinned(guest))
            code_.mov(scratch, pinned(guest));
        else
            code_.load(scratch, slot(guest));
    } else {
        return false;
    }
    find_target();
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    ended_ = true;
    return true;
}

// The way on is looked for before anything is pushed: where it is not known the interpreter
// executes the whole instruction.
bool Translator::call() {
    if (!is_plain64()) return false;
    const ZydisOperand& target = operand(0);
    const Host stack = pinned(x86::RSP);
    std::uint32_t offset = 0;
    bool is_near = false;
    if (target.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
        offset = next_offset_ + static_cast<std::uint32_t>(instruction_.decoded.raw.imm[0].value.s);
        is_near = is_direct(offset);
        if (!is_near) {
            lose_flags();
            code_.load(scratch, offset_of::operand(offset_of::page_ip));
            code_.lea(scratch, Operand::at(scratch, static_cast<std::int32_t>(offset)));
        }
    } else if (target.type == ZYDIS_OPERAND_TYPE_MEMORY) {
        if (target.size != 64) return false;
        code_.load(scratch, access(target, Access::Read, false));
    } else if (is_general(target, 64)) {
        lose_flags();
        const unsigned guest = number_of(target.reg.value);
        if (is_pinned(guest))
            code_.mov(scratch, pinned(guest));
        else
            code_.load(scratch, slot(guest));
    } else {
        return false;
    }
    if (!is_near) {
        find_target();
        code_.store(offset_of::operand(offset_of::kept), scratch2);
    }
    code_.lea(scratch, Operand::at(stack, -8));
    const Operand place = check(Access::Write, 8, true);
    code_.load(scratch2, offset_of::operand(offset_of::page_ip));
    code_.lea(scratch2, Operand::at(scratch2, static_cast<std::int32_t>(next_offset_)));
    code_.store(place, scratch2);
    code_.lea(stack, Operand::at(stack, -8));
    if (is_near) {
        end_with(native_->taken, Way::LeaveTaken, offset);
    } else {
        code_.load(scratch2, offset_of::operand(offset_of::kept));
        code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    }
    ended_ = true;
    return true;
}

bool Translator::ret() {
    if (!is_plain64() || instruction_.decoded.meta.branch_type != ZYDIS_BRANCH_TYPE_NEAR)
        return false;
    const Host stack = pinned(x86::RSP);
    const bool releases = instruction_.decoded.opcode == 0xc2;
    const auto arguments = releases ? static_cast<std::int32_t>(
                                          instruction_.decoded.raw.imm[0].value.u & 0xffff)
                                    : 0;
    code_.mov(scratch, stack);
    const Operand place = check(Access::Read, 8, false);
    code_.load(scratch, place);
    find_target();
    code_.lea(stack, Operand::at(stack, 8 + arguments));
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
    ended_ = true;
    return true;
}

// The block at the RIP in `scratch`, from the jump cache, to `scratch2`.
void Translator::find_target() {
    static_assert(interp::jump_cache_size == 4096 && sizeof(interp::JumpCacheEntry) == 16);
    code_.store(offset_of::operand(offset_of::target_ip), scratch);
    code_.mov(scratch2, scratch);
    code_.shr(scratch2, 12);
    code_.xor32(scratch2, scratch);
    code_.and32(scratch2, interp::jump_cache_size - 1);
    code_.shl32(scratch2, 4);
    code_.xor_(scratch, offset_of::operand(offset_of::jump_key));
    code_.cmp(scratch,
              offset_of::operand(offset_of::jump_cache + offsetof(interp::JumpCacheEntry, tag),
                                 scratch2));
    leave_if(not_equal);
    code_.load(scratch2,
               offset_of::operand(offset_of::jump_cache + offsetof(interp::JumpCacheEntry, block),
                                  scratch2));
}

// To another page: it may be mapped differently by now.
void Translator::go_far(std::uint32_t target) {
    lose_flags();
    code_.load(scratch, offset_of::operand(offset_of::page_ip));
    code_.lea(scratch, Operand::at(scratch, static_cast<std::int32_t>(target)));
    find_target();
    code_.jump_through(Operand::at(scratch2, offset_of::block_entry));
}

}  // namespace backplane::jit
