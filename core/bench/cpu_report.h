// The results of the CPU benchmark for people, a line at a time, and for scripts.
#pragma once

#include "bench/cpu_bench.h"

#include <nlohmann/json_fwd.hpp>

#include <span>
#include <string>

namespace backplane::bench {

[[nodiscard]] std::string cpu_report_heading();
// A line of figures, and for engines that compile two about that.
[[nodiscard]] std::string cpu_report_lines(const CpuBenchResult& result);

// What stands at benchmarks.guest_cpu of the export.
[[nodiscard]] nlohmann::ordered_json cpu_report_json(std::span<const CpuBenchResult> results,
                                                     const CpuBenchSettings& settings);

}  // namespace backplane::bench
