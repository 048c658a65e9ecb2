// Instructions by the host's time, from what samples say of both.
#pragma once

#include "profile/recording.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace backplane::profile {

class SpeedHistory {
public:
    explicit SpeedHistory(const Recording& recording);

    // Millions a second of all processors together, in steps of a tenth of a second. The last,
    // which is no whole step, does not count.
    const std::vector<double>& steps() const { return steps_; }
    // Nothing: the recording is shorter than a step.
    std::optional<double> average_of_last(std::size_t steps) const;
    // Nearest rank: the smallest value that 95 % of the steps do not exceed.
    std::optional<double> p95() const;

    static constexpr std::uint64_t step = 100'000'000;  // nanoseconds

private:
    std::vector<double> steps_;
};

}  // namespace backplane::profile
