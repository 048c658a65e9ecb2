// PUSH, POP and LEAVE.
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"

#include <cstddef>
#include <cstdint>

namespace backplane::jit {

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

}  // namespace backplane::jit
