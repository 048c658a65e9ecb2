// How fast a counter grows: the difference over the last second, or another time.
#pragma once

#include "measure/rolling_samples.h"

#include <chrono>
#include <cstdint>

namespace backplane::measure {

class RollingRate {
public:
    using Clock = std::chrono::steady_clock;

    explicit RollingRate(Clock::duration window = std::chrono::seconds{1}) : samples_{window} {}

    // The counter has this value at this instant, which is not before the last one.
    void sample(std::uint64_t value, Clock::time_point when = Clock::now());

    // The time between the first and the last sample of the window; 0 until there are two.
    [[nodiscard]] Clock::duration window() const { return samples_.length(); }
    // By how much the counter grew meanwhile. A counter that falls was started again: what was
    // before it is forgotten.
    [[nodiscard]] std::uint64_t difference() const;
    // That for each second; 0 until time has passed.
    [[nodiscard]] double per_second() const;

private:
    RollingSamples<std::uint64_t> samples_;
};

}  // namespace backplane::measure
