// Events of a trace as JSON, in the Trace Event Format that ui.perfetto.dev and chrome://tracing
// read: an array, a line for each element, which may be cut off at any of its lines.
#pragma once

#include "trace_event.h"
#include "trace_ring.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace backplane::profiler {

class TraceJson {
public:
    // Times are counted from this one, of the host's steady clock.
    explicit TraceJson(std::uint64_t start) : start_{start} {}

    // What the file begins with.
    static std::string head();
    void add(const TraceEvent& event, std::string& text);
    // How many were dropped so far.
    void add_dropped(std::uint64_t host_time, const TraceCounts& dropped, std::string& text) const;
    // The last element, which says what is in the file, and the end of the array.
    static std::string tail(const TraceCounts& recorded, const TraceCounts& dropped);

private:
    struct Formatter;

    // The number of a processor, which has a name of its own in the trace.
    std::uint32_t thread_of(std::string_view cpu, std::string& text);
    double microseconds(std::uint64_t host_time) const;

    std::uint64_t start_;
    std::map<std::string, std::uint32_t, std::less<>> threads_;
    std::uint64_t last_compile_ = 0;
};

}  // namespace backplane::profiler
