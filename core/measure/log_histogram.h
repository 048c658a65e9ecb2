// Quantiles of a stream of values that spans many orders of magnitude, in a fixed amount of memory.
//
// Each power of two has 1024 buckets of equal width, so a quantile is off by less than a thousandth
// of itself. Made for times in microseconds: values from 1 up to 2^31 (36 minutes) are told apart
// so, smaller ones by 1/1024, larger ones count as the largest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::measure {

class LogHistogram {
public:
    static constexpr unsigned buckets_per_octave = 1024, largest_exponent = 30;

    // Negative values count as 0.
    void add(double value);
    void merge(const LogHistogram& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    // The value of rank ceil(q * count), between 0 and 1, interpolated within its bucket and never
    // outside of what was added. NaN without values.
    [[nodiscard]] double quantile(double q) const;

private:
    // The first octave is for values below 1.
    static constexpr std::size_t buckets = std::size_t{largest_exponent + 2} * buckets_per_octave;
    static std::size_t bucket_of(double value);
    static double lower_edge(std::size_t bucket);

    std::vector<std::uint64_t> counts_ = std::vector<std::uint64_t>(buckets);
    std::uint64_t count_ = 0;
    double min_ = 0, max_ = 0;
};

}  // namespace backplane::measure
