#include "measure/rolling_rate.h"

namespace backplane::measure {

void RollingRate::sample(std::uint64_t value, Clock::time_point when) {
    if (!samples_.empty() && value < samples_.back().value) samples_.clear();
    samples_.push_back({when, value});
    // The last one that is at least as old as the window is where the window begins.
    while (samples_.size() > 2 && when - samples_[1].when >= window_)
        samples_.pop_front();
}

RollingRate::Clock::duration RollingRate::window() const {
    return samples_.empty() ? Clock::duration{} : samples_.back().when - samples_.front().when;
}

std::uint64_t RollingRate::difference() const {
    return samples_.empty() ? 0 : samples_.back().value - samples_.front().value;
}

double RollingRate::per_second() const {
    const double seconds = std::chrono::duration<double>{window()}.count();
    return seconds > 0 ? static_cast<double>(difference()) / seconds : 0;
}

}  // namespace backplane::measure
