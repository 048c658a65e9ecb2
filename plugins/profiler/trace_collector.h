// Makes the events of a trace of what a machine publishes of itself.
#pragma once

#include "open_interrupts.h"
#include "trace_event.h"
#include "trace_ring.h"

#include <backplane/machine_events.h>

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace backplane::profiler {

using TraceLanes = std::array<bool, trace_lane_count>;

class TraceCollector {
public:
    explicit TraceCollector(TraceRing& ring) : ring_{ring} {}

    void start(const backplane_host& host, const TraceLanes& lanes);
    // What has not ended ends now.
    void stop(std::uint64_t host_time);

private:
    // What a processor is in.
    struct Cpu {
        CpuExecution execution{};
        std::uint64_t since = 0;
        OpenInterrupts interrupts;
        std::map<std::uint64_t, std::uint64_t> flows;  // of these, by their time
        std::uint64_t next_flow = 0;                   // of the interrupt that it has just taken
    };

    void subscribe_vcpu(const backplane_host& host);
    void subscribe_causes(const backplane_host& host);

    void interrupted(const CpuInterrupt& event);
    void returned(const CpuInterruptReturn& event);
    void halted(const CpuHalt& event);
    void raised(const InterruptLine& event);
    void sent(const InterruptMessage& event);
    void taken(const InterruptTaken& event);
    void completed(const BlockCompleted& event);
    void compiled(const BlockCompiled& event);
    // With mutex_.
    Cpu& cpu_of(const backplane_event_origin& origin);
    void end_execution(Cpu& cpu, std::uint64_t host_time);
    auto handlers_end_at(Cpu& cpu, std::uint64_t host_time);

    TraceRing& ring_;
    bool traces_devices_ = false;

    std::mutex mutex_;
    std::map<std::string, Cpu, std::less<>> cpus_;
    // Flows that began and have not arrived: at the component that a line goes to, and at a local
    // APIC with this vector.
    std::uint64_t last_flow_ = 0;
    std::map<std::string, std::uint64_t, std::less<>> raised_;
    std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> sent_;
    std::map<std::uint64_t, BlockStarted> requests_;

    std::optional<Subscription<CpuInterrupt>> interrupts_;
    std::optional<Subscription<CpuInterruptReturn>> returns_;
    std::optional<Subscription<CpuHalt>> halts_;
    std::optional<Subscription<CpuException>> exceptions_;
    std::optional<Subscription<InterruptLine>> lines_;
    std::optional<Subscription<InterruptMessage>> messages_;
    std::optional<Subscription<InterruptTaken>> taken_;
    std::optional<Subscription<DeviceAccess>> accesses_;
    std::optional<Subscription<BlockStarted>> starts_;
    std::optional<Subscription<BlockCompleted>> ends_;
    std::optional<Subscription<BlockCompiled>> compiles_;
};

}  // namespace backplane::profiler
