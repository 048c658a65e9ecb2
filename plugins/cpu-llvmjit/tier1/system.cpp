// What an operating system does all the time: CLI, STI and PUSHF around each of its critical
// sections, SWAPGS and CLD on its way in, and a look at a control or segment register.
#include "interp/block_builder.h"
#include "interp/core.h"
#include "tier1/core_offsets.h"
#include "tier1/operands.h"
#include "tier1/translator.h"
#include "x86/cpu_state.h"

#include <cstdint>

namespace backplane::jit {

namespace rflags = x86::rflags;

// At privilege 0 no IOPL forbids anything.
bool Translator::is_supervisor() const {
    const auto view = static_cast<interp::View>((block_->mode & interp::block_mode::view) >>
                                                interp::block_mode::view_shift);
    return interp::privilege_of(view) == x86::Privilege::Supervisor;
}

bool Translator::clear_interrupt_flag() {
    if (!is_supervisor()) return false;
    lose_flags();
    code_.and32(offset_of::operand(offset_of::rflags), ~static_cast<std::int32_t>(rflags::if_));
    keeps_window_ = true;
    return true;
}

// An interrupt that waits comes behind the next instruction (SDM 2 STI), which the interpreter sees
// to; so it does if the budget ends there or may end.
bool Translator::set_interrupt_flag() {
    if (!is_supervisor() || is_last()) return false;
    lose_flags();
    window_.reset();
    code_.test_immediate32(offset_of::operand(offset_of::rflags),
                           static_cast<std::int32_t>(rflags::if_));
    const auto is_set = code_.jump_if(condition::not_equal);
    code_.load(scratch, offset_of::operand(offset_of::interrupt_request));
    code_.cmp_byte(Operand::at(scratch), 0);
    leave_if(condition::not_equal);
    code_.cmp_byte(offset_of::operand(offset_of::budget + sizeof(std::int64_t) - 1), 0);
    leave_if(condition::sign);
    code_.or32(offset_of::operand(offset_of::rflags), static_cast<std::int32_t>(rflags::if_));
    code_.patch_here(is_set);
    return true;
}

// SDM 2 PUSHF: but for VM and RF. In 64-bit and flat 32-bit code nothing forbids it.
bool Translator::push_flags() {
    if (!is_plain()) return false;
    image_flags();
    const Operand kept = offset_of::operand(offset_of::kept);
    code_.zero_extend(scratch2, flags_image, 1);
    code_.shl32(scratch2, 11);  // OF
    code_.or32(scratch2, offset_of::operand(offset_of::rflags));
    code_.store(kept, scratch2);
    code_.zero_extend(scratch2, flags_image, 2);
    code_.shr(scratch2, 8);
    code_.or32(scratch2, kept);
    code_.and32(scratch2, ~static_cast<std::int32_t>(rflags::vm | rflags::rf));
    code_.store(kept, scratch2);
    window_.reset();
    const Operand place = stack_access(x86::RSP, -word(), Access::Write, true);
    code_.load(scratch2, kept);
    store_word(place, scratch2);
    move_stack(-word());
    return true;
}

// CLD and STD.
bool Translator::set_direction(bool down) {
    lose_flags();
    const Operand place = offset_of::operand(offset_of::rflags);
    const auto flag = static_cast<std::int32_t>(rflags::df);
    down ? code_.or32(place, flag) : code_.and32(place, ~flag);
    keeps_window_ = true;
    return true;
}

bool Translator::swap_gs() {
    if (!is_code64() || !is_supervisor()) return false;
    const Operand base = offset_of::operand(offset_of::segment_base(x86::GS)),
                  other = offset_of::operand(offset_of::kernel_gs_base);
    code_.load(scratch, base);
    code_.load(scratch2, other);
    code_.store(base, scratch2);
    code_.store(other, scratch);
    return true;
}

// CR8 is the interrupt controller's.
bool Translator::read_control_register() {
    const ZydisOperand& from = operand(1);
    if (from.type != ZYDIS_OPERAND_TYPE_REGISTER ||
        ZydisRegisterGetClass(from.reg.value) != ZYDIS_REGCLASS_CONTROL || !is_code64() ||
        !is_supervisor())
        return false;
    const unsigned number = number_of(from.reg.value);
    const std::size_t place = number == 0   ? offset_of::cr0
                              : number == 2 ? offset_of::cr2
                              : number == 3 ? offset_of::cr3
                              : number == 4 ? offset_of::cr4
                                            : 0;
    if (place == 0) return false;
    const unsigned guest = number_of(operand(0).reg.value);
    const Host to = is_pinned(guest) ? pinned(guest) : scratch;
    code_.load(to, offset_of::operand(place));
    if (!is_pinned(guest)) set(guest, to);
    keeps_window_ = is_pinned(guest);
    wrote(guest);
    return true;
}

// Into a whole register: what is above the selector becomes 0.
bool Translator::read_segment_register() {
    const ZydisOperand &to = operand(0), &from = operand(1);
    if (from.type != ZYDIS_OPERAND_TYPE_REGISTER ||
        ZydisRegisterGetClass(from.reg.value) != ZYDIS_REGCLASS_SEGMENT || to.size < 32 ||
        !is_general(to, to.size))
        return false;
    const unsigned guest = number_of(to.reg.value);
    const Host host = is_pinned(guest) ? pinned(guest) : scratch;
    const auto segment = number_of(from.reg.value);
    code_.emit({.byte = 0xb7, .map = OpcodeMap::Escape0F}, host,
               offset_of::operand(offset_of::selector(segment)));
    if (!is_pinned(guest)) set(guest, host);
    keeps_window_ = is_pinned(guest);
    wrote(guest);
    return true;
}

}  // namespace backplane::jit
