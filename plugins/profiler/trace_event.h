// One thing in a trace: what it is, and when.
#pragma once

#include "jit_markers.h"

#include <backplane/machine_events.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <variant>

namespace backplane::profiler {

enum class TraceLane : std::uint8_t { Vcpu, Device, Io, Jit };
constexpr std::size_t trace_lane_count = 4;
constexpr std::array<const char*, trace_lane_count> trace_lane_names{"vcpu", "device", "io", "jit"};

// From one HLT to the end of it, or from there to the next.
struct CpuExecution {
    char source[BACKPLANE_EVENT_NAME];
    bool is_halted;
};

// In all of these a flow of 0 is none.

// From an interrupt to the end of its handler.
struct InterruptHandler {
    CpuInterrupt interrupt;
    std::uint64_t flow;
};

// A line went up: the first that is known of an interrupt.
struct LineRaised {
    InterruptLine line;
    std::uint64_t flow;
};

struct MessageSent {
    InterruptMessage message;
    std::uint64_t flow;
    bool is_first;  // no line is known that it comes from
};

struct TraceEvent {
    using Subject =
        std::variant<CpuExecution, InterruptHandler, CpuException, DeviceAccess, LineRaised,
                     MessageSent, BlockStarted, BlockCompleted, BlockCompiled>;

    std::uint64_t start = 0, duration = 0;  // nanoseconds of the host's steady clock
    Subject subject;

    TraceLane lane() const {
        constexpr std::array<TraceLane, std::variant_size_v<Subject>> lanes{
            TraceLane::Vcpu,   TraceLane::Vcpu,   TraceLane::Vcpu,
            TraceLane::Device, TraceLane::Device, TraceLane::Device,
            TraceLane::Io,     TraceLane::Io,     TraceLane::Jit};
        return lanes[subject.index()];
    }
};

}  // namespace backplane::profiler
