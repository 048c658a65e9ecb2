// MOVS, STOS and LODS, alone and with REP.
//
// With REP the host's own instruction does what lies within one page each time. Registers move with
// it, so that whatever happens in between finds the instruction in front of its next iteration. The
// places in CpuState of registers that the host's have are free meanwhile.
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"

#include <bit>
#include <cstddef>
#include <cstdint>

namespace backplane::jit {
namespace {

static_assert(pinned(x86::RCX) == rcx && pinned(x86::RSI) == rsi && pinned(x86::RDI) == rdi &&
              is_pinned(x86::RAX));

constexpr std::uint8_t movs = 0xa4, stos = 0xaa, lods = 0xac;  // of bytes; wider ones are odd
constexpr std::uint8_t repe = 0xf3, repne = 0xf2;

bool has_prefix(const x86::Instruction& instruction, std::uint8_t value) {
    const auto& raw = instruction.decoded.raw;
    for (unsigned i = 0; i < raw.prefix_count; ++i)
        if (raw.prefixes[i].value == value) return true;
    return false;
}

}  // namespace

bool Translator::string_operation() {
    const ZydisDecodedInstruction& decoded = instruction_->decoded;
    if (address_width_ != word() * 8 || decoded.opcode_map != ZYDIS_OPCODE_MAP_DEFAULT ||
        has_prefix(*instruction_, repne))
        return false;
    const std::uint8_t operation = decoded.opcode & 0xfe;
    for (unsigned i = 0; i < decoded.operand_count; ++i) {
        const ZydisOperand& each = operand(i);
        if (each.type == ZYDIS_OPERAND_TYPE_MEMORY &&
            (each.mem.segment == ZYDIS_REGISTER_FS || each.mem.segment == ZYDIS_REGISTER_GS))
            return false;
    }
    const unsigned size = (decoded.opcode & 1) == 0 ? 1 : decoded.operand_width / 8u;
    const bool repeats = has_prefix(*instruction_, repe);
    const bool is_known = operation == movs || operation == stos || (operation == lods && !repeats);
    if (!is_known) return false;
    image_flags();  // not by what registers say that change
    window_.reset();
    code_.test_immediate32(offset_of::operand(offset_of::rflags),
                           static_cast<std::int32_t>(x86::rflags::df));
    leave_if(condition::not_equal);
    if (repeats)
        operation == movs ? repeat_movs(size) : repeat_stos(size);
    else
        string_step(operation == movs || operation == lods, operation != lods, size);
    return true;
}

// The operand of `size` bytes at a register, as check() leaves it.
void Translator::check_string(Host at, Access access, unsigned size) {
    mov_word(scratch, at);
    check(access, size);
}

void Translator::string_step(bool reads, bool writes, unsigned size) {
    const Opcode load{.byte = static_cast<std::uint8_t>(size == 1 ? 0x8a : 0x8b),
                      .operand16 = size == 2,
                      .wide = size == 8,
                      .byte_registers = size == 1};
    const auto store = [&](Host value, const Operand& place) {
        Opcode opcode = load;
        opcode.byte -= 2;
        code_.emit(opcode, value, place);
    };
    const Operand found = Operand::at(scratch2, scratch, 0, 0);
    const auto distance = static_cast<std::int32_t>(size);
    if (reads && writes) {
        check_string(rsi, Access::Read, size);
        code_.emit(load, scratch, found);
        code_.store(slot(x86::RSI), scratch);
        check_string(rdi, Access::Write, size);
        code_.add(scratch, Operand::of(scratch2));
        code_.load(scratch2, slot(x86::RSI));
        store(scratch2, Operand::at(scratch));
    } else {
        check_string(reads ? rsi : rdi, reads ? Access::Read : Access::Write, size);
        if (reads)
            code_.emit(load, pinned(x86::RAX), found);
        else
            store(pinned(x86::RAX), found);
    }
    if (reads) lea_word(rsi, rsi, distance);
    if (writes) lea_word(rdi, rdi, distance);
}

// Behind it all of RCX is the number of iterations. ECX = 0 leaves its upper half alone.
Assembler::Jump Translator::skip_if_no_repetition() {
    is_code64() ? code_.test(rcx) : code_.test32(rcx);
    const auto nothing = code_.jump_if(condition::equal);
    if (!is_code64()) code_.mov32(rcx, rcx);
    return nothing;
}

void Translator::repeat_stos(unsigned size) {
    const auto nothing = skip_if_no_repetition();
    const Place again = code_.place();
    check_string(rdi, Access::Write, size);
    code_.add(scratch2, Operand::of(scratch));
    take_iterations(size);
    lea_word(scratch, Operand::at(rdi, rcx, string_scale(size), 0));
    code_.mov(rdi, scratch2);
    code_.store(slot(x86::RAX), flags_image);
    code_.mov(rax, pinned(x86::RAX));
    code_.repeat(stos, size);
    code_.load(flags_image, slot(x86::RAX));
    code_.mov(rdi, scratch);
    go_on_repeating(again);
    code_.patch_here(nothing);
}

// The source first: where it is not there, nothing may be known of a write.
void Translator::repeat_movs(unsigned size) {
    const unsigned scale = string_scale(size);
    const auto nothing = skip_if_no_repetition();
    const Place again = code_.place();
    check_string(rsi, Access::Read, size);
    code_.store(slot(x86::RAX), scratch);
    code_.add(scratch2, Operand::of(scratch));
    code_.store(slot(x86::RSI), scratch2);
    check_string(rdi, Access::Write, size);
    code_.add(scratch2, Operand::of(scratch));
    // What is nearer to its page's end.
    code_.cmp(scratch, slot(x86::RAX));
    code_.move_if(condition::below, scratch, slot(x86::RAX));
    take_iterations(size);
    lea_word(scratch, Operand::at(rsi, rcx, scale, 0));
    code_.load(rsi, slot(x86::RSI));
    code_.store(slot(x86::RSI), scratch);
    lea_word(scratch, Operand::at(rdi, rcx, scale, 0));
    code_.mov(rdi, scratch2);
    code_.repeat(movs, size);
    code_.mov(rdi, scratch);
    code_.load(rsi, slot(x86::RSI));
    go_on_repeating(again);
    code_.patch_here(nothing);
}

unsigned Translator::string_scale(unsigned size) {
    return static_cast<unsigned>(std::countr_zero(size));
}

// From an offset in `scratch` to the end of the page: to RCX, as far as RCX says. What that leaves
// is kept in its place.
void Translator::take_iterations(unsigned size) {
    code_.negate(scratch);
    code_.add_immediate(Operand::of(scratch), static_cast<std::int32_t>(x86::page_size), true);
    if (size != 1) code_.shr(scratch, string_scale(size));
    code_.cmp(scratch, Operand::of(rcx));
    code_.move_if(condition::above, scratch, Operand::of(rcx));
    code_.emit({.byte = 0x01, .wide = true}, scratch,
               offset_of::operand(offset_of::rep_iterations));
    code_.sub(rcx, Operand::of(scratch));
    code_.store(slot(x86::RCX), rcx);
    code_.mov(rcx, scratch);
}

// Unless attention is wanted, which the interpreter sees to.
void Translator::go_on_repeating(Place again) {
    code_.load(rcx, slot(x86::RCX));
    code_.test(rcx);
    const auto done = code_.jump_if(condition::equal);
    code_.cmp_byte(offset_of::operand(offset_of::budget + sizeof(std::int64_t) - 1), 0);
    leave_if(condition::sign);
    code_.patch(code_.jump(), again);
    code_.patch_here(done);
}

}  // namespace backplane::jit
