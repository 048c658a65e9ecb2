// Percentiles by nearest rank: always one of the values, never between two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::measure {

// ceil(percent/100 * count), from 1 to count: which of the sorted values it is.
[[nodiscard]] std::uint64_t nearest_rank(double percent, std::uint64_t count);

// The least value that `percent` of the values do not exceed, on the high side: of five values the
// fifth is the 95th percentile. 0 when there are none.
[[nodiscard]] double percentile(std::span<const double> values, double percent);

}  // namespace backplane::measure
