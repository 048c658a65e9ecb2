// Samples how fast the guest executes, for the average and the spread of its MIPS.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <vector>

namespace backplane::runtime {

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
