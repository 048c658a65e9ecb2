#include "measure/log_histogram.h"

#include "measure/nearest_rank.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace backplane::measure {

std::size_t LogHistogram::bucket_of(double value) {
    constexpr double per_octave = buckets_per_octave;
    if (value < 1) return static_cast<std::size_t>(std::max(value, 0.0) * per_octave);
    int exponent = 0;
    const double fraction = std::frexp(value, &exponent) * 2 - 1;  // value = 2^(exponent-1)(1+f)
    if (!std::isfinite(value) || exponent - 1 > static_cast<int>(largest_exponent))
        return buckets - 1;
    return static_cast<std::size_t>(exponent) * buckets_per_octave +
           static_cast<std::size_t>(fraction * per_octave);
}

double LogHistogram::lower_edge(std::size_t bucket) {
    const auto octave = static_cast<int>(bucket / buckets_per_octave);
    const double part = static_cast<double>(bucket % buckets_per_octave) / buckets_per_octave;
    return octave == 0 ? part : std::ldexp(1 + part, octave - 1);
}

void LogHistogram::add(double value) {
    if (std::isnan(value)) return;
    value = std::max(value, 0.0);
    min_ = count_ == 0 ? value : std::min(min_, value);
    max_ = count_ == 0 ? value : std::max(max_, value);
    ++counts_[bucket_of(value)];
    ++count_;
}

void LogHistogram::merge(const LogHistogram& other) {
    if (other.count_ == 0) return;
    min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
    max_ = count_ == 0 ? other.max_ : std::max(max_, other.max_);
    count_ += other.count_;
    for (std::size_t bucket = 0; bucket < buckets; ++bucket)
        counts_[bucket] += other.counts_[bucket];
}

double LogHistogram::quantile(double q) const {
    if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
    const std::uint64_t rank = nearest_rank(q * 100, count_);
    std::uint64_t before = 0;
    std::size_t bucket = 0;
    while (before + counts_[bucket] < rank)
        before += counts_[bucket++];
    // As if the values of a bucket lay evenly in it.
    const double lower = lower_edge(bucket), width = lower_edge(bucket + 1) - lower;
    const double place = (static_cast<double>(rank - before) - 0.5) /
                         static_cast<double>(counts_[bucket]);
    return std::clamp(lower + width * place, min_, max_);
}

}  // namespace backplane::measure
