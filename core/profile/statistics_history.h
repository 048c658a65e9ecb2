// The processors' statistics over time, as a recording has them.
#pragma once

#include "measure/jit_metrics.h"
#include "profile/recording.h"

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace backplane::profile {

// Behind a recording that has ended. Messages name the file.
[[nodiscard]] std::expected<void, std::string>
append_statistics(const std::filesystem::path& recording, const StatisticsHistory& statistics);

// At the end of the recording, rolling over the last second of it.
[[nodiscard]] std::optional<measure::JitMetrics> jit_metrics(const StatisticsHistory& statistics);
// By how much a statistic grew. Nothing where it was not recorded.
[[nodiscard]] std::optional<std::uint64_t> growth(const StatisticsHistory& statistics,
                                                  const std::string& name);

}  // namespace backplane::profile
