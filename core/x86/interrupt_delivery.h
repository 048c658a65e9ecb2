// Delivers interrupts and exceptions: one attempt, and the whole rule with double faults and
// shutdown (SDM 3A 6).
//
// All or nothing: an attempt that meets a fault leaves registers as they were and records that
// fault.
#pragma once

#include "x86/breakpoints.h"
#include "x86/interrupt_ia32e.h"
#include "x86/interrupt_protected.h"
#include "x86/system_services.h"

#include <concepts>

namespace backplane::x86 {

// What engines need beyond Machine to deliver exceptions.
template <class M>
concept FaultingMachine = requires(M& m) {
    { m.take_fault() } -> std::same_as<Fault>;  // the fault raise() recorded; forgotten afterwards
    // Where what began at `ip` is to be said to have faulted: there, or what restart_at said since.
    { m.fault_ip(std::uint64_t{}) } -> std::same_as<std::uint64_t>;
};

// One attempt. Outcome::Jump: the handler is next. INT n, INT3 and INTO use this directly: a fault
// met by them is an ordinary fault of the instruction.
template <class M>
Outcome deliver(M& m, const InterruptEvent& event) {
    CpuState& state = m.state();
    const Outcome outcome = state.long_mode()        ? deliver_ia32e(m, event)
                            : state.protected_mode() ? deliver_protected(m, event)
                                                     : deliver_real(m, event);
    if (outcome == Outcome::Fault) return outcome;
    state.interrupt_shadow = false;
    state.debug_shadow = false;
    state.halted = false;
    m.system().mode_changed();
    return outcome;
}

enum class Delivery : std::uint8_t { Delivered, Shutdown };

// What a fault shows in registers as it is recognised, before its handler is looked for.
inline void record_fault(CpuState& state, const Fault& fault) {
    if (fault.vector == Vector::PageFault) state.cr2 = fault.address;
    if (fault.vector != Vector::Debug) return;
    // Fault::address holds the DR6 bits. SDM 3B 17.2.3 and 17.2.4: of those before, what is not a
    // breakpoint stays; and the processor clears GD on entry to the handler.
    state.dr[6] = (state.dr[6] & ~std::uint64_t{dr6::hits}) | fault.address;
    state.dr[7] &= ~(std::uint64_t{1} << 13);
}

// Delivers an exception found at `ip` (of the instruction for faults, of the next one for traps).
template <FaultingMachine M>
[[gnu::noinline]] Delivery deliver_fault(M& m, Fault fault, std::uint64_t ip) {
    record_fault(m.state(), fault);
    for (;;) {
        if (deliver(m, exception_event(fault, ip)) != Outcome::Fault) return Delivery::Delivered;
        // CR2 tells the handler of a double fault which page was missing last; Linux finds stack
        // overflows so.
        const Fault second = m.take_fault();
        ip = m.fault_ip(ip);
        record_fault(m.state(), second);
        const auto next = escalate(fault.vector, second);
        if (!next) return Delivery::Shutdown;
        fault = *next;
    }
}

namespace detail {
template <FaultingMachine M>
Delivery deliver_benign(M& m, const InterruptEvent& event) {
    if (deliver(m, event) != Outcome::Fault) return Delivery::Delivered;
    const Fault fault = m.take_fault();
    return deliver_fault(m, fault, m.fault_ip(event.return_ip));
}
}  // namespace detail

// The caller has checked IF and the interrupt shadow; `ip` is the instruction that would be next.
template <FaultingMachine M>
Delivery deliver_interrupt(M& m, std::uint8_t vector, std::uint64_t ip) {
    return detail::deliver_benign(
        m, {.vector = vector, .source = EventSource::External, .return_ip = ip, .error_code = {}});
}

// SDM 3A 6.7.1: further NMIs wait for the next IRET. The caller has checked CpuState::nmi_blocked.
template <FaultingMachine M>
Delivery deliver_nmi(M& m, std::uint64_t ip) {
    m.state().nmi_blocked = true;
    return detail::deliver_benign(m, {.vector = static_cast<std::uint8_t>(Vector::NonMaskable),
                                      .source = EventSource::NonMaskable,
                                      .return_ip = ip,
                                      .error_code = {}});
}

}  // namespace backplane::x86
