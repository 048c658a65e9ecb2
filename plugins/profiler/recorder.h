// Writes a recording's file on a thread of its own, so that nobody else waits for a disk.
#pragma once

#include "cpu_sampler.h"
#include "output_file.h"
#include "profile/recording_writer.h"

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <filesystem>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace backplane::profiler {

class Recorder {
public:
    // Told once, from its thread, when the file cannot be written any more.
    using Report = std::function<void(const std::string&)>;

    Recorder() = default;
    ~Recorder() { stop(); }
    Recorder(const Recorder&) = delete;
    Recorder& operator=(const Recorder&) = delete;

    // Creates the file, with its first record. Messages name it.
    std::expected<void, std::string> start(const std::filesystem::path& file,
                                           const profile::Settings& settings, Report report);
    // [any] Never waits for the disk: where that is too slow, samples are lost.
    void add(Batch batch);
    // All that was added is written, and the file ends. It says how many markers are not in it:
    // those lost here, and so many before.
    void stop(std::uint64_t lost_markers = 0);

    // [any]
    std::uint64_t lost() const { return lost_; }
    std::uint64_t lost_markers() const { return lost_markers_; }
    std::uint64_t bytes() const { return file_.bytes(); }

private:
    static constexpr std::size_t most_waiting = 256;  // batches

    void write_all();
    void write(const Batch& batch);
    void lose(const Batch& batch);
    void give_up(const std::string& error);

    profile::RecordingWriter writer_{{}};
    Report report_;
    OutputFile file_;
    bool has_failed_ = false;
    std::atomic<std::uint64_t> lost_{0}, lost_markers_{0};

    std::mutex mutex_;
    std::condition_variable has_work_;
    std::deque<Batch> waiting_;
    bool is_over_ = false;
    std::uint64_t lost_before_ = 0;  // markers
    std::thread thread_;
};

}  // namespace backplane::profiler
