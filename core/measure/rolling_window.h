// The latest values of a stream, for averages and percentiles of now: the last 60 frames, the last
// 100 samples.
#pragma once

#include "measure/nearest_rank.h"

#include <cstddef>
#include <limits>
#include <numeric>
#include <span>
#include <vector>

namespace backplane::measure {

class RollingWindow {
public:
    // Of at least one value.
    explicit RollingWindow(std::size_t capacity) : capacity_{capacity} {
        values_.reserve(capacity);
    }

    // Takes the place of the oldest once the window is full.
    void add(double value) {
        if (values_.size() < capacity_)
            values_.push_back(value);
        else
            values_[oldest_] = value;
        oldest_ = (oldest_ + 1) % capacity_;
    }

    [[nodiscard]] std::size_t size() const { return values_.size(); }
    // In no particular order.
    [[nodiscard]] std::span<const double> values() const { return values_; }
    // Added up anew each time, so that nothing is left of what has gone. NaN without values.
    [[nodiscard]] double mean() const {
        return values_.empty() ? std::numeric_limits<double>::quiet_NaN()
                               : std::accumulate(values_.begin(), values_.end(), 0.0) /
                                     static_cast<double>(values_.size());
    }
    [[nodiscard]] double percentile(double percent) const {
        return measure::percentile(values_, percent);
    }

private:
    std::size_t capacity_, oldest_ = 0;
    std::vector<double> values_;
};

}  // namespace backplane::measure
