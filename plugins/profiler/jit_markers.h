// Markers of blocks that a CPU has compiled, from the events that it publishes of them.
#pragma once

#include "profile/recording.h"

#include <backplane/events.h>

#include <cstdint>
#include <optional>
#include <vector>

namespace backplane::profiler {

// As cpu.llvmjit publishes it (docs/compiled-code.md).
struct BlockCompiled {
    static constexpr const char* topic = "jit.block-compiled/1";
    static constexpr const char* doc = "A hot block of guest code was compiled";
    std::uint64_t code, cold_code;
    std::uint64_t linear;
    std::uint64_t physical;
    std::uint64_t nanoseconds;
    std::uint32_t code_bytes, cold_code_bytes;
    std::uint32_t tier;
    std::uint16_t guest_bytes, instructions, untranslated, reserved[3];
};

class JitMarkers {
public:
    void start(const backplane_host& host) { events_.emplace(host, capacity); }
    void stop() {
        lost_ = lost();
        events_.reset();
    }

    // [any one thread] All since the last time, which ended now at the latest.
    std::vector<profile::Marker> take(std::uint64_t now);
    // [any] Compiled blocks that have none, as too many came at once.
    std::uint64_t lost() const { return events_ ? events_->lost() : lost_; }

private:
    static constexpr std::uint32_t capacity = 8192;

    std::optional<QueuedSubscription<BlockCompiled>> events_;
    std::uint64_t lost_ = 0;
};

}  // namespace backplane::profiler
