// Events of a trace on their way to its file: so many at most, and those that find it full are
// counted.
#pragma once

#include "trace_event.h"

#include <array>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

namespace backplane::profiler {

using TraceCounts = std::array<std::uint64_t, trace_lane_count>;

class TraceRing {
public:
    // Before anything is added.
    void set_capacity(std::size_t events) { capacity_ = events; }

    // [any] Never waits for the file.
    void add(const TraceEvent& event) {
        const std::lock_guard lock{mutex_};
        if (waiting_.size() >= capacity_ || is_refusing_) {
            ++dropped_[static_cast<std::size_t>(event.lane())];
            return;
        }
        ++taken_[static_cast<std::size_t>(event.lane())];
        waiting_.push_back(event);
        if (waiting_.size() == capacity_ / 2) is_due_.notify_one();
    }

    // [the writer] What came since, when it is half full or this time is over; with what was
    // dropped until then.
    struct Batch {
        std::vector<TraceEvent> events;
        TraceCounts dropped;
        bool is_last;
    };
    Batch take(std::chrono::milliseconds longest) {
        std::unique_lock lock{mutex_};
        is_due_.wait_for(lock, longest,
                         [this] { return is_over_ || waiting_.size() >= capacity_ / 2; });
        return {std::exchange(waiting_, {}), dropped_, is_over_};
    }

    // [the writer] These did not get into the file.
    void drop(const std::vector<TraceEvent>& events, std::size_t from) {
        const std::lock_guard lock{mutex_};
        for (std::size_t i = from; i < events.size(); ++i) {
            const auto lane = static_cast<std::size_t>(events[i].lane());
            --taken_[lane];
            ++dropped_[lane];
        }
    }
    // [the writer] Nothing more gets there.
    void refuse() {
        const std::lock_guard lock{mutex_};
        is_refusing_ = true;
    }
    void end() {
        const std::lock_guard lock{mutex_};
        is_over_ = true;
        is_due_.notify_one();
    }

    // [any]
    TraceCounts taken() const {
        const std::lock_guard lock{mutex_};
        return taken_;
    }
    TraceCounts dropped() const {
        const std::lock_guard lock{mutex_};
        return dropped_;
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable is_due_;
    std::vector<TraceEvent> waiting_;
    std::size_t capacity_ = 0;
    TraceCounts taken_{}, dropped_{};
    bool is_refusing_ = false, is_over_ = false;
};

}  // namespace backplane::profiler
