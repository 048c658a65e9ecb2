// What the times between frames say about smoothness: rates, lows and spread.
#pragma once

#include "measure/log_histogram.h"
#include "measure/running_moments.h"

#include <chrono>

namespace backplane::measure {

class FrameTimes {
public:
    void add(std::chrono::duration<double, std::milli> frame) {
        moments_.add(frame.count());
        microseconds_.add(frame.count() * microseconds_per_millisecond);
    }
    void merge(const FrameTimes& other) {
        moments_.merge(other.moments_);
        microseconds_.merge(other.microseconds_);
    }

    // All of these are NaN without frames.
    [[nodiscard]] double avg_fps() const { return frames_per_second(moments_.mean()); }
    [[nodiscard]] double median_fps() const { return frames_per_second(milliseconds(0.5)); }
    // The rate that all but the slowest 1 %, and 0.1 %, of the frames reach.
    [[nodiscard]] double low_1_percent_fps() const { return frames_per_second(milliseconds(0.99)); }
    [[nodiscard]] double low_01_percent_fps() const {
        return frames_per_second(milliseconds(0.999));
    }
    // Quantile of the frame times.
    [[nodiscard]] double milliseconds(double q) const {
        return microseconds_.quantile(q) / microseconds_per_millisecond;
    }
    // Of the frame times in milliseconds: their variance is the population's.
    [[nodiscard]] const RunningMoments& moments() const { return moments_; }

private:
    static constexpr double microseconds_per_millisecond = 1000;

    static double frames_per_second(double milliseconds) { return 1000 / milliseconds; }

    RunningMoments moments_;
    LogHistogram microseconds_;
};

}  // namespace backplane::measure
