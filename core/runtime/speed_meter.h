// Samples how fast the guest executes, for the average and the spread of its MIPS.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <span>
#include <vector>

namespace backplane::runtime {

// The value that `percent` of the samples do not exceed, by nearest rank: element ceil(percent/100
// * n) of the sorted samples. 0 when there are none.
[[nodiscard]] double percentile(std::span<const double> samples, double percent);

class SpeedMeter {
public:
    using Clock = std::chrono::steady_clock;

    // [any] The guest has retired so many instructions in all at this instant.
    void sample(std::uint64_t instructions, Clock::time_point when = Clock::now());

    struct Mips {
        double average = 0;  // over the whole time
        double p95 = 0;      // of the samples
    };
    [[nodiscard]] Mips mips() const;

private:
    mutable std::mutex mutex_;
    bool started_ = false;
    Clock::time_point first_, last_;
    std::uint64_t first_instructions_ = 0, last_instructions_ = 0;
    std::vector<double> samples_;
};

}  // namespace backplane::runtime
