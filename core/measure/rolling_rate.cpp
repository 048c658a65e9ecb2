#include "measure/rolling_rate.h"

namespace backplane::measure {

void RollingRate::sample(std::uint64_t value, Clock::time_point when) {
    if (!samples_.is_empty() && value < samples_.last()) samples_.clear();
    samples_.add(value, when);
}

std::uint64_t RollingRate::difference() const {
    return samples_.is_empty() ? 0 : samples_.last() - samples_.first();
}

double RollingRate::per_second() const {
    const double seconds = std::chrono::duration<double>{window()}.count();
    return seconds > 0 ? static_cast<double>(difference()) / seconds : 0;
}

}  // namespace backplane::measure
