// Writes a trace's file on a thread of its own, so that nobody else waits for a disk.
#pragma once

#include "trace_file.h"
#include "trace_json.h"
#include "trace_ring.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>

namespace backplane::profiler {

class TraceWriter {
public:
    // Told once, from its thread, when nothing more comes into the file.
    using Report = std::function<void(const std::string&)>;

    explicit TraceWriter(TraceRing& ring) : ring_{ring} {}
    ~TraceWriter() { stop(); }
    TraceWriter(const TraceWriter&) = delete;
    TraceWriter& operator=(const TraceWriter&) = delete;

    // Creates the file, with its beginning. It becomes no longer than `limit` and its end, counted
    // before it is compressed.
    std::expected<void, std::string> start(const std::filesystem::path& path,
                                           std::uint64_t host_time, std::uint64_t limit,
                                           Report report);
    // All that is in the ring is written, and the file ends.
    void stop();

    // [any] In the file.
    std::uint64_t bytes() const { return file_.bytes(); }

private:
    void write_all();
    void write(const TraceRing::Batch& batch);
    bool put(const std::string& text);
    void give_up(const std::string& why);

    TraceRing& ring_;
    TraceFile file_;
    std::optional<TraceJson> json_;
    Report report_;
    std::uint64_t limit_ = 0, length_ = 0;
    TraceCounts told_dropped_{};
    bool is_full_ = false, has_failed_ = false;
    std::thread thread_;
};

}  // namespace backplane::profiler
