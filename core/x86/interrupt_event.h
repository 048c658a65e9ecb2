// An interrupt or exception on its way to a handler, and what becomes of faults met on that way.
#pragma once

#include "x86/cpu_state.h"
#include "x86/fault.h"

#include <cstdint>
#include <optional>

namespace backplane::x86 {

// Software means INT n, INT3 and INTO: the gate's DPL is checked and error codes have EXT clear
// (SDM 3A 6.12.1.2, 6.13).
enum class EventSource : std::uint8_t { External, NonMaskable, Exception, Software };

struct InterruptEvent {
    std::uint8_t vector;
    EventSource source;
    std::uint64_t return_ip;
    std::optional<std::uint32_t> error_code;
    bool general_detect = false;  // #DB for an access to a guarded debug register: a fault

    bool is_software() const { return source == EventSource::Software; }
    std::uint32_t external() const { return is_software() ? 0 : 1; }

    // Of #GP and #NP raised because of the gate: its index, the IDT bit and EXT.
    Fault gate_fault(Vector kind) const {
        return {.vector = kind, .error_code = vector * 8u + 2u + external()};
    }

    // The image pushed. SDM 3B 17.3.1.1: faults push RF set, so that an instruction breakpoint does
    // not hit twice; but the #DB of that breakpoint leaves it to the handler.
    std::uint64_t pushed_rflags(const CpuState& state) const {
        const auto kind = static_cast<Vector>(vector);
        const bool is_fault = source == EventSource::Exception &&
                              (kind != Vector::Debug || general_detect) &&
                              kind != Vector::NonMaskable && kind != Vector::DoubleFault &&
                              kind != Vector::MachineCheck;
        return state.full_rflags() | (is_fault ? rflags::rf : 0);
    }
};

inline InterruptEvent exception_event(const Fault& fault, std::uint64_t ip) {
    return {.vector = static_cast<std::uint8_t>(fault.vector),
            .source = EventSource::Exception,
            .return_ip = ip,
            .error_code = has_error_code(fault.vector) ? std::optional{fault.error_code}
                                                       : std::nullopt,
            .general_detect = fault.vector == Vector::Debug && (fault.address & 1u << 13)};
}

// SDM 3A table 6-4.
constexpr bool is_contributory(Vector vector) {
    using enum Vector;
    return vector == DivideError || vector == InvalidTss || vector == SegmentNotPresent ||
           vector == StackFault || vector == GeneralProtection;
}

// A second fault while the first is delivered (SDM 3A table 6-5). Empty: the processor shuts down
// (triple fault).
constexpr std::optional<Fault> escalate(Vector first, const Fault& second) {
    const bool severe = is_contributory(second.vector) || second.vector == Vector::PageFault;
    if (first == Vector::DoubleFault && severe) return {};
    const bool doubles = (is_contributory(first) && is_contributory(second.vector)) ||
                         (first == Vector::PageFault && severe);
    if (doubles) return Fault{.vector = Vector::DoubleFault};
    return second;
}

}  // namespace backplane::x86
