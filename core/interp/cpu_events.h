// What a processor publishes of itself: interrupts, exceptions, HLT (abi/machine_events.h).
#pragma once

#include "x86/cpu_state.h"
#include "x86/fault.h"
#include "x86/guest_floating_point.h"

#include <backplane/machine_events.h>

#include <cstdint>

namespace backplane::interp {

class CpuEvents {
public:
    // [vcpu] Without a subscriber each is one load.
    void interrupt(const backplane_host& host, const x86::CpuState& state,
                   std::uint8_t vector) const {
        if (!interrupts.wanted()) return;
        const x86::HostFloatingPoint host_floating_point;
        CpuInterrupt event{};
        put_event_origin(event.origin, host, host.name);
        event.pc = linear_pc(state);
        event.stack_pointer = state.gpr[x86::RSP];
        event.vector = vector;
        event.is_nmi = vector == static_cast<std::uint8_t>(x86::Vector::NonMaskable) ? 1 : 0;
        event.privilege = state.cpl;
        interrupts.publish(event);
    }

    void interrupt_return(const backplane_host& host, const x86::CpuState& state) const {
        if (!returns.wanted()) return;
        const x86::HostFloatingPoint host_floating_point;
        CpuInterruptReturn event{};
        put_event_origin(event.origin, host, host.name);
        event.stack_pointer = state.gpr[x86::RSP];
        event.privilege = state.cpl;
        returns.publish(event);
    }

    void exception(const backplane_host& host, const x86::CpuState& state,
                   const x86::Fault& fault) const {
        if (!exceptions.wanted()) return;
        const x86::HostFloatingPoint host_floating_point;
        CpuException event{};
        put_event_origin(event.origin, host, host.name);
        event.pc = linear_pc(state);
        if (fault.vector == x86::Vector::PageFault) event.address = fault.address;
        if (x86::has_error_code(fault.vector)) event.error_code = fault.error_code;
        event.vector = static_cast<std::uint8_t>(fault.vector);
        event.privilege = state.cpl;
        exceptions.publish(event);
    }

    void halt(const backplane_host& host, const x86::CpuState& state, bool is_halted) const {
        if (!halts.wanted()) return;
        const x86::HostFloatingPoint host_floating_point;
        CpuHalt event{};
        put_event_origin(event.origin, host, host.name);
        event.pc = linear_pc(state);
        event.is_halted = is_halted ? 1 : 0;
        halts.publish(event);
    }

    Topic<CpuInterrupt> interrupts;
    Topic<CpuInterruptReturn> returns;
    Topic<CpuException> exceptions;
    Topic<CpuHalt> halts;

private:
    static std::uint64_t linear_pc(const x86::CpuState& state) {
        return state.code64() ? state.rip
                              : (state.segments[x86::CS].base + state.rip) & 0xffff'ffff;
    }
};

}  // namespace backplane::interp
