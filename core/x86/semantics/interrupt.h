// INT n, INT3, INTO, INT1 and IRET (SDM 2).
#pragma once

#include "x86/control_registers.h"
#include "x86/far_transfer.h"
#include "x86/interrupt_delivery.h"
#include "x86/machine.h"
#include "x86/task_switch.h"
#include "x86/virtual8086.h"

#include <array>
#include <type_traits>

namespace backplane::x86::semantics {

inline constexpr auto raise_interrupt = [](auto& m, std::uint8_t vector, EventSource source) {
    return deliver(
        m, {.vector = vector, .source = source, .return_ip = m.next_ip(), .error_code = {}});
};

// In virtual-8086 mode the redirection map decides before IOPL does (SDM 3A table 20-2).
inline constexpr auto int_n = [](auto& m) {
    const CpuState& state = m.state();
    const auto vector = static_cast<std::uint8_t>(m.op().immediate);
    if (in_virtual8086(state) && (state.cr4 & cr4::vme)) {
        const auto redirected = redirects_interrupt(m, vector);
        if (!redirected) return Outcome::Fault;
        if (*redirected) return redirect_interrupt(m, vector);
    }
    if (monitors_flags(state)) return m.raise(general_protection());
    return raise_interrupt(m, vector, EventSource::Software);
};

inline constexpr auto int3 = [](auto& m) {
    return raise_interrupt(m, static_cast<std::uint8_t>(Vector::Breakpoint), EventSource::Software);
};

inline constexpr auto into = [](auto& m) {
    if (!m.flags().of()) return Outcome::Next;
    return raise_interrupt(m, static_cast<std::uint8_t>(Vector::Overflow), EventSource::Software);
};

// INT1 counts as a hardware event: the gate's DPL does not matter (SDM 2 INT n).
inline constexpr auto int1 = [](auto& m) {
    return raise_interrupt(m, static_cast<std::uint8_t>(Vector::Debug), EventSource::Exception);
};

// The flags an IRET at this privilege may change (SDM 2 IRET); Word is the operand size.
template <class Word>
std::uint64_t iret_flags(const CpuState& state) {
    using namespace rflags;
    std::uint64_t mask = arithmetic | tf | df | nt;
    if (sizeof(Word) > 2) mask |= rf | ac | id;
    if (state.cpl <= ((state.rflags & iopl) >> 12)) mask |= if_;
    if (state.cpl == 0) mask |= iopl | (sizeof(Word) > 2 ? vif | vip : 0);
    return mask;
}

inline void set_returned_flags(CpuState& state, std::uint64_t value, std::uint64_t mask) {
    // RF only keeps an instruction breakpoint from hitting once more. Without breakpoints it is
    // dropped here, so that engines need not clear it after the next instruction.
    if (!(state.dr[7] & debug::dr7_enables)) value &= ~rflags::rf;
    state.set_full_rflags((state.full_rflags() & ~(mask | rflags::rf)) | (value & mask));
}

template <class Word, class M>
Outcome return_in_real_mode(M& m, Selector selector, std::uint64_t ip, std::uint64_t flags,
                            const TransferStack<M>& stack) {
    CpuState& state = m.state();
    const auto cs = check_real_target(m, selector, ip);
    if (!cs) return Outcome::Fault;
    std::uint64_t mask = iret_flags<Word>(state) & ~(rflags::vif | rflags::vip);
    if (in_virtual8086(state)) mask &= ~rflags::iopl;
    if (monitors_flags(state)) {  // and VIF stands for IF: see iret
        if (virtual_flags_refused(state, flags)) return m.raise(general_protection());
        set_virtual_flags(state, flags, mask);
    } else {
        set_returned_flags(state, flags, mask);
    }
    stack.commit();
    return enter_code(m, *cs, state.cpl, ip);
}

// SDM 3A 20.2.5: six more words follow, and all segments become those of virtual-8086 mode.
template <class M>
Outcome return_to_virtual8086(M& m, Selector selector, std::uint64_t ip, std::uint64_t flags,
                              TransferStack<M>& stack) {
    CpuState& state = m.state();
    std::array<std::uint32_t, 6> words;
    for (std::uint32_t& word : words) {
        const auto value = stack.template pop<std::uint32_t>();
        if (!value) return Outcome::Fault;
        word = *value;
    }
    if (ip > 0xffff) return m.raise(general_protection());
    state.set_full_rflags(flags & 0x003f7fd5);
    if (!(state.dr[7] & debug::dr7_enables)) state.rflags &= ~rflags::rf;
    state.gpr[RSP] = words[0];
    const auto load = [&](SegmentIndex index, std::uint32_t word) {
        state.segments[index] = real_mode_segment(state, {}, {static_cast<std::uint16_t>(word)});
    };
    load(SS, words[1]);
    load(ES, words[2]);
    load(DS, words[3]);
    load(FS, words[4]);
    load(GS, words[5]);
    return enter_code(m, real_mode_segment(state, {}, selector), 3, ip);
}

template <class Word>
inline constexpr auto iret = [](auto& m) {
    CpuState& state = m.state();
    state.nmi_blocked = false;  // also when a fault comes of it (SDM 3A 6.7.1)
    if (monitors_flags(state) && !has_virtual_flag<Word>(state))
        return m.raise(general_protection());
    if (uses_descriptors(state) && (state.rflags & rflags::nt))
        return state.long_mode() ? m.raise(general_protection()) : return_to_task(m);

    TransferStack stack{m};
    const auto ip = stack.template pop<Word>();
    if (!ip) return Outcome::Fault;
    const auto code = stack.template pop<Word>();
    if (!code) return Outcome::Fault;
    const auto flags = stack.template pop<Word>();
    if (!flags) return Outcome::Fault;
    const Selector selector{static_cast<std::uint16_t>(*code)};
    if (!uses_descriptors(state)) return return_in_real_mode<Word>(m, selector, *ip, *flags, stack);
    if (sizeof(Word) == 4 && !state.long_mode() && state.cpl == 0 && (*flags & rflags::vm))
        return return_to_virtual8086(m, selector, *ip, *flags, stack);

    const auto cs = check_return_code(m, selector, *ip);
    if (!cs) return Outcome::Fault;
    const unsigned cpl = selector.rpl();
    const bool outward = cpl != state.cpl;
    if (outward || state.code64()) {
        const auto pointer = stack.template pop<Word>();
        if (!pointer) return Outcome::Fault;
        const auto stack_selector = stack.template pop<Word>();
        if (!stack_selector) return Outcome::Fault;
        const auto ss = check_return_stack(m, {static_cast<std::uint16_t>(*stack_selector)}, *cs);
        if (!ss) return Outcome::Fault;
        const StackWidth width = target_stack_width(state, *cs, *ss);
        TransferStack<std::remove_reference_t<decltype(m)>>::set_stack_pointer(state, *pointer,
                                                                               width);
        state.segments[SS] = *ss;
    } else {
        stack.commit();
    }
    set_returned_flags(state, *flags, iret_flags<Word>(state));
    state.cpl = static_cast<std::uint8_t>(cpl);
    if (outward) drop_privileged_segments(state);
    return enter_code(m, *cs, cpl, *ip);
};

}  // namespace backplane::x86::semantics
