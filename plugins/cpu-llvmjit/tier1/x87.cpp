// Instructions of the x87 unit. They are executed as they are, on registers that stay in the host's
// unit as long as compiled code runs.
//
// All exceptions are masked there (backplane_jit_load_x87), so that no instruction raises any.
// Those that could unmask one, and those that store or load the whole unit, are the interpreter's.
#include "interp/core.h"
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/host_features.h"
#include "x86/x87_stack.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace backplane::jit {
namespace {

bool is_x87(const ZydisDecodedInstruction& decoded) {
    return decoded.encoding == ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
           decoded.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && (decoded.opcode & 0xf8) == 0xd8;
}

// Beside those, what processors do not agree on.
bool is_left_to_interpreter(ZydisMnemonic mnemonic) {
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSTENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_FSTPNCE:
    case ZYDIS_MNEMONIC_FENI8087_NOP:
    case ZYDIS_MNEMONIC_FDISI8087_NOP:
    case ZYDIS_MNEMONIC_FSETPM287_NOP: return true;
    default: return false;
    }
}

bool sets_flags(ZydisMnemonic mnemonic) {
    return mnemonic == ZYDIS_MNEMONIC_FCOMI || mnemonic == ZYDIS_MNEMONIC_FCOMIP ||
           mnemonic == ZYDIS_MNEMONIC_FUCOMI || mnemonic == ZYDIS_MNEMONIC_FUCOMIP;
}

}  // namespace

bool Translator::translate_x87() {
    const ZydisMnemonic mnemonic = instruction_->mnemonic();
    if (mnemonic == ZYDIS_MNEMONIC_FWAIT) {
        need_x87();  // nothing is pending then
        keeps_window_ = true;
        return true;
    }
    const auto& decoded = instruction_->decoded;
    if (!is_x87(decoded) || is_left_to_interpreter(mnemonic)) return false;
    if (mnemonic == ZYDIS_MNEMONIC_FISTTP && !x86::host_features().has(x86::Feature::Sse3))
        return false;

    need_x87();
    const ZydisOperand* memory = instruction_->memory_operand();
    if (mnemonic == ZYDIS_MNEMONIC_FLDCW) return load_x87_control(*memory);
    if (mnemonic == ZYDIS_MNEMONIC_FNSTSW && !memory) return store_x87_status();

    Operand place;
    if (memory) {
        const bool writes = (memory->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) != 0;
        place = access(*memory, writes ? Access::Write : Access::Read, false);
    }
    // FCMOV
    if (decoded.cpu_flags && (decoded.cpu_flags->tested & x86::rflags::arithmetic) != 0)
        restore_flags();
    emit_x87(place);
    if (sets_flags(mnemonic)) made_flags();
    keeps_window_ = true;

    switch (mnemonic) {
    case ZYDIS_MNEMONIC_FNSTCW:
    case ZYDIS_MNEMONIC_FNSTSW: return true;
    case ZYDIS_MNEMONIC_FNCLEX:
        code_.emit({.byte = 0xc6}, 0, offset_of::operand(offset_of::ignore_numeric_error), 0, 1);
        return true;
    default: break;
    }
    const unsigned modrm = decoded.raw.modrm.mod << 6 | decoded.raw.modrm.reg << 3 |
                           decoded.raw.modrm.rm;
    x87_.instruction = {.opcode = static_cast<std::uint16_t>((decoded.opcode & 7u) << 8 | modrm),
                        .offset = next_offset_ - decoded.length};
    if (memory)
        x87_.operand = {.operand = *memory,
                        .address_width = decoded.address_width,
                        .next_offset = next_offset_};
    return true;
}

// As it is encoded, but for a memory operand.
void Translator::emit_x87(const Operand& memory) {
    const auto& modrm = instruction_->decoded.raw.modrm;
    const std::uint8_t opcode = instruction_->decoded.opcode;
    if (modrm.mod != 3) {
        code_.emit({.byte = opcode}, modrm.reg, memory);
        return;
    }
    code_.byte(opcode);
    code_.byte(0xc0u | modrm.reg << 3 | modrm.rm);
}

// From a copy, as memory may change behind the check.
bool Translator::load_x87_control(const ZydisOperand& operand) {
    const Operand copy = offset_of::operand(offset_of::kept);
    const Operand place = access(operand, Access::Read, false);
    code_.emit({.byte = 0xb7, .map = OpcodeMap::Escape0F}, scratch, place);  // MOVZX
    code_.store(copy, scratch);
    code_.emit({.byte = 0xf7}, 2, Operand::of(scratch));  // NOT
    code_.test_byte(scratch, x86::x87_control::masks);
    leave_if(condition::not_equal);
    emit_x87(copy);
    return true;
}

// To AX.
bool Translator::store_x87_status() {
    const bool image_needed = flags_ == Flags::Image;
    if (image_needed) code_.mov(scratch, flags_image);
    emit_x87({});
    code_.emit({.byte = 0x8b, .operand16 = true}, pinned(x86::RAX), Operand::of(rax));
    if (image_needed) code_.mov(flags_image, scratch);
    if (flags_ == Flags::Both) flags_ = Flags::Host;
    return true;
}

void Translator::need_x87() {
    if (x87_.live) return;
    lose_flags();
    code_.cmp_byte(offset_of::operand(offset_of::x87), 0);
    const auto load = code_.jump_if(condition::equal);
    register_loads_.push_back(
        {load, code_.place(), static_cast<std::uint16_t>(number_), Way::LoadX87, recipe_in_use()});
    x87_.live = true;
    window_.reset();
}

void Translator::return_to_x87(const Resumption& resumption) {
    if (!resumption.x87.live) return;
    code_.cmp_byte(offset_of::operand(offset_of::x87), 0);
    const auto load = code_.jump_if(condition::equal);
    register_loads_.push_back({load, code_.place(), resumption.instruction, Way::LoadX87, {}});
}

// ---- The last instruction and the last operand ----

void Translator::note_x87() {
    if (!x87_.instruction) return;
    emit_x87_notes(x87_);
    x87_.instruction.reset();
    x87_.operand.reset();
    window_.reset();
}

void Translator::note_x87_operand() {
    if (!x87_.operand) return;
    const auto& memory = x87_.operand->operand.mem;
    const unsigned written = written_registers(*instruction_);
    const auto is_written = [&](ZydisRegister part) {
        return is_general(part) && (written >> number_of(part) & 1) != 0;
    };
    if (!is_written(memory.base) && !is_written(memory.index)) return;
    emit_x87_operand(*x87_.operand);
    x87_.operand.reset();
    window_.reset();
}

void Translator::emit_x87_notes(const X87Knowledge& x87) {
    if (x87.instruction) {
        code_.load(scratch, offset_of::operand(offset_of::page_ip));
        code_.lea(scratch,
                  Operand::at(scratch, static_cast<std::int32_t>(x87.instruction->offset)));
        code_.store(offset_of::operand(offset_of::x87_last_instruction), scratch);
        code_.emit({.byte = 0xc7}, 0, offset_of::operand(offset_of::x87_opcode),
                   x87.instruction->opcode, 4);
    }
    if (x87.operand) emit_x87_operand(*x87.operand);
}

// FDP is the offset in the segment (record_x87_data).
void Translator::emit_x87_operand(const X87Knowledge::LastOperand& last) {
    auto width = last.address_width;
    auto next_offset = last.next_offset;
    std::swap(width, address_width_);
    std::swap(next_offset, next_offset_);
    form_effective_address(scratch, last.operand);
    address_width_ = width;
    next_offset_ = next_offset;
    code_.store(offset_of::operand(offset_of::x87_last_data), scratch);
    code_.emit({.byte = 0xc7}, 0, offset_of::operand(offset_of::x87_segment),
               static_cast<std::uint32_t>(ZydisRegisterGetId(last.operand.mem.segment)), 4);
}

}  // namespace backplane::jit
