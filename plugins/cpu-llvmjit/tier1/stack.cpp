// PUSH, POP and LEAVE.
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"

#include <cstddef>
#include <cstdint>

namespace backplane::jit {

// What is pushed or popped next is where this was.
void Translator::move_stack(std::int32_t distance) {
    lea_word(pinned(x86::RSP), pinned(x86::RSP), distance);
    moved(x86::RSP, distance);
}

bool Translator::push_register(unsigned guest) {
    const Operand place = stack_access(x86::RSP, -word(), Access::Write, !is_pinned(guest));
    store_word(place, value_of(guest, scratch2));
    move_stack(-word());
    keeps_window_ = true;
    return true;
}

bool Translator::push_immediate() {
    const Operand place = stack_access(x86::RSP, -word(), Access::Write, false);
    code_.emit({.byte = 0xc7, .wide = is_code64()}, 0, place,
               instruction_->decoded.raw.imm[0].value.u, 4);
    move_stack(-word());
    keeps_window_ = true;
    return true;
}

bool Translator::push_memory() {
    const Operand from = access(operand(0), Access::Read, false);
    load_word(scratch2, from);
    window_.reset();
    code_.store(offset_of::operand(offset_of::kept), scratch2);
    const Operand place = stack_access(x86::RSP, -word(), Access::Write, true);
    code_.load(scratch2, offset_of::operand(offset_of::kept));
    store_word(place, scratch2);
    move_stack(-word());
    return true;
}

bool Translator::pop() {
    if (!is_plain() || !is_general(operand(0), word() * 8)) return false;
    const unsigned guest = number_of(operand(0).reg.value);
    const bool keep_scratch2_free = !is_pinned(guest);
    const Operand place = stack_access(x86::RSP, 0, Access::Read, keep_scratch2_free);
    load_word(is_pinned(guest) ? pinned(guest) : scratch2, place);
    if (guest != x86::RSP) move_stack(word());
    if (!is_pinned(guest)) code_.store(slot(guest), scratch2);
    wrote(guest);
    keeps_window_ = true;
    return true;
}

bool Translator::leave_frame() {
    if (!is_plain()) return false;
    const Host frame = pinned(x86::RBP);
    const Operand place = stack_access(x86::RBP, 0, Access::Read, false);
    lea_word(pinned(x86::RSP), frame, word());
    load_word(frame, place);
    return true;
}

}  // namespace backplane::jit
