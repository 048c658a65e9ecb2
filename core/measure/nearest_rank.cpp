#include "measure/nearest_rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace backplane::measure {

std::uint64_t nearest_rank(double percent, std::uint64_t count) {
    // A rank that is whole shall stay so where the product is a little above it.
    constexpr double rounding = 1e-9;
    const double rank = std::ceil(percent * static_cast<double>(count) / 100 - rounding);
    return static_cast<std::uint64_t>(std::clamp(rank, 1.0, static_cast<double>(count)));
}

double percentile(std::span<const double> values, double percent) {
    if (values.empty()) return 0;
    std::vector<double> sorted{values.begin(), values.end()};
    const auto place = static_cast<std::ptrdiff_t>(nearest_rank(percent, sorted.size()) - 1);
    std::ranges::nth_element(sorted, sorted.begin() + place);
    return sorted[static_cast<std::size_t>(place)];
}

}  // namespace backplane::measure
