// Mean, spread and extremes of a stream of values, which are not kept.
//
// Welford's update, so that nothing cancels when the spread is small against the mean; the sum is
// kept apart, with what rounding took from it (Kahan, in Neumaier's form).
#pragma once

#include <cstdint>

namespace backplane::measure {

class RunningMoments {
public:
    void add(double value);
    // As if the other's values had been added one by one.
    void merge(const RunningMoments& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] double sum() const { return sum_ + lost_; }

    // Without values, and spread of a sample without a second one: NaN, which JSON writes as null.
    [[nodiscard]] double mean() const;
    [[nodiscard]] double min() const;
    [[nodiscard]] double max() const;
    // The values are all there are.
    [[nodiscard]] double population_variance() const;
    [[nodiscard]] double population_stdev() const;
    // The values stand for more of their kind: divided by n - 1.
    [[nodiscard]] double sample_variance() const;
    [[nodiscard]] double sample_stdev() const;
    // Coefficient of variation: the deviation as a part of the mean. NaN around a mean of 0.
    [[nodiscard]] double population_cv() const;
    [[nodiscard]] double sample_cv() const;

private:
    void add_to_sum(double value);
    [[nodiscard]] double relative(double deviation) const;

    std::uint64_t count_ = 0;
    double mean_ = 0, squares_ = 0;  // squares of the distances from the mean
    double sum_ = 0, lost_ = 0;
    double min_ = 0, max_ = 0;
};

}  // namespace backplane::measure
