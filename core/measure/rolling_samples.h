// What was sampled within the last second, or another time: where a window begins and ends.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <utility>

namespace backplane::measure {

template <class Value>
class RollingSamples {
public:
    using Clock = std::chrono::steady_clock;

    struct Sample {
        Clock::time_point when;
        Value value;
    };

    explicit RollingSamples(Clock::duration window) : window_{window} {}

    // Not before the last one.
    void add(Value value, Clock::time_point when) {
        samples_.push_back({when, std::move(value)});
        // The last one that is at least as old as the window is where the window begins.
        while (samples_.size() > 2 && when - samples_[1].when >= window_)
            samples_.pop_front();
    }
    void clear() { samples_.clear(); }

    [[nodiscard]] bool is_empty() const { return samples_.empty(); }
    // Of at least one sample.
    [[nodiscard]] const Value& first() const { return samples_.front().value; }
    [[nodiscard]] const Value& last() const { return samples_.back().value; }
    // The time between the two; 0 until there are two.
    [[nodiscard]] Clock::duration length() const {
        return is_empty() ? Clock::duration{} : samples_.back().when - samples_.front().when;
    }

private:
    Clock::duration window_;
    std::deque<Sample> samples_;
};

}  // namespace backplane::measure
