#include "jit_markers.h"

#include <fmt/format.h>

namespace backplane::profiler {

std::vector<profile::Marker> JitMarkers::take(std::uint64_t now) {
    std::vector<profile::Marker> markers;
    if (!events_ || !events_->is_active()) return markers;
    while (const auto event = events_->receive())
        markers.push_back(
            {.host_time = now - event->nanoseconds,
             .duration = event->nanoseconds,
             .cpu = 0,
             .name = "Compile",
             .text = fmt::format("tier {}: {} instructions at {:#x}, {} bytes of code", event->tier,
                                 event->instructions, event->linear,
                                 event->code_bytes + event->cold_code_bytes)});
    return markers;
}

}  // namespace backplane::profiler
