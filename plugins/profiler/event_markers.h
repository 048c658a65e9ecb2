// Markers of what a machine publishes of itself: interrupts, page faults and disk requests.
#pragma once

#include "open_interrupts.h"
#include "profile/recording.h"

#include <backplane/machine_events.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace backplane::profiler {

struct EventMarkerOptions {
    bool interrupts = true, page_faults = true, disks = true;
    std::uint64_t most = 0;  // of a recording; what comes later is lost
};

class EventMarkers {
public:
    // Processors by their names, in the order of the recording.
    void start(const backplane_host& host, std::vector<std::string> cpus,
               const EventMarkerOptions& options);
    // Handlers that have not ended do so now.
    void stop(std::uint64_t host_time);

    // [any] Another one, which counts like those.
    void add(profile::Marker marker);
    // [any one thread] All since the last time.
    std::vector<profile::Marker> take();
    // [any]
    std::uint64_t lost() const;

private:
    struct Cpu {
        std::string name;
        OpenInterrupts interrupts;
    };

    void interrupted(const CpuInterrupt& event);
    void returned(const CpuInterruptReturn& event);
    void halted(const CpuHalt& event);
    void faulted(const CpuException& event);
    void completed(const BlockCompleted& event);
    // Null: one that is not recorded.
    Cpu* cpu_of(const backplane_event_origin& origin);
    std::uint8_t number_of(const Cpu& cpu) const {
        return static_cast<std::uint8_t>(&cpu - cpus_.data());
    }
    // With mutex_. What makes a marker end at this time.
    auto ends_at(const Cpu& cpu, std::uint64_t host_time);
    void keep(profile::Marker marker);

    mutable std::mutex mutex_;
    std::vector<Cpu> cpus_;
    std::vector<profile::Marker> markers_;
    std::uint64_t most_ = 0, added_ = 0, lost_ = 0;

    std::optional<Subscription<CpuInterrupt>> interrupts_;
    std::optional<Subscription<CpuInterruptReturn>> returns_;
    std::optional<Subscription<CpuHalt>> halts_;
    std::optional<Subscription<CpuException>> exceptions_;
    std::optional<Subscription<BlockCompleted>> requests_;
};

}  // namespace backplane::profiler
