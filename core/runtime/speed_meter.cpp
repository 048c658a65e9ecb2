#include "runtime/speed_meter.h"

#include "measure/nearest_rank.h"

namespace backplane::runtime {

namespace {

double mips_of(std::uint64_t instructions, SpeedMeter::Clock::duration time) {
    const double seconds = std::chrono::duration<double>{time}.count();
    return seconds > 0 ? static_cast<double>(instructions) / seconds / 1e6 : 0;
}

}  // namespace

void SpeedMeter::sample(std::uint64_t instructions, Clock::time_point when) {
    const std::lock_guard guard{mutex_};
    if (!started_) {
        started_ = true;
        first_ = when;
        first_instructions_ = instructions;
    } else if (when > last_) {
        samples_.push_back(mips_of(instructions - last_instructions_, when - last_));
    }
    last_ = when;
    last_instructions_ = instructions;
}

SpeedMeter::Mips SpeedMeter::mips() const {
    const std::lock_guard guard{mutex_};
    return {mips_of(last_instructions_ - first_instructions_, last_ - first_),
            measure::percentile(samples_, 95)};
}

}  // namespace backplane::runtime
