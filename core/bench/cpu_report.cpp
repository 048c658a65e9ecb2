#include "bench/cpu_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

namespace backplane::bench {

namespace {

// What is not a number, such as the deviation of a single run, is null.
nlohmann::ordered_json number(double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

std::string deviation(const measure::RunningMoments& mips) {
    const double cv = mips.sample_cv();
    return std::isfinite(cv) ? fmt::format("{:.1f} %", 100 * cv) : "-";
}

nlohmann::ordered_json json_of(const CpuBenchResult& result) {
    const auto checksum = [&](std::uint64_t value) {
        return fmt::format("{:#0{}x}", value, result.checksum_digits + 2);
    };
    const auto runs = result.mips.count();
    return {{"variant", result.variant},
            {"mode", result.mode},
            {"measured_runs", runs},
            {"instructions_per_run", result.instructions_per_run},
            {"total_instructions", result.instructions_per_run * runs},
            {"total_seconds", result.time.count()},
            {"mips",
             static_cast<double>(result.instructions_per_run * runs) / result.time.count() / 1e6},
            {"mips_mean", number(result.mips.mean())},
            {"mips_stddev", number(result.mips.sample_stdev())},
            {"mips_min", number(result.mips.min())},
            {"mips_max", number(result.mips.max())},
            {"mips_median", result.median()},
            {"mips_p95", result.p95()},
            {"expected_checksum", checksum(result.expected_checksum)},
            {"observed_checksum", checksum(result.observed_checksum)},
            {"jit", result.jit.json()}};
}

}  // namespace

std::string cpu_report_heading() {
    return fmt::format("{:<16} {:<13} {:>10} {:>10} {:>8} {:>10} {:>10} {:>10} {:>7}\n",
                       "guest MIPS", "mode", "mean", "median", "cv", "min", "max", "p95", "runs");
}

std::string cpu_report_lines(const CpuBenchResult& result) {
    const auto& mips = result.mips;
    std::string text = fmt::format(
        "{:<16} {:<13} {:>10.1f} {:>10.1f} {:>8} {:>10.1f} {:>10.1f} {:>10.1f} {:>7}\n",
        result.variant, result.mode, mips.mean(), result.median(), deviation(mips), mips.min(),
        mips.max(), result.p95(), mips.count());
    if (result.jit.enabled) text += fmt::format("  {}\n", result.jit.lines());
    return text;
}

nlohmann::ordered_json cpu_report_json(std::span<const CpuBenchResult> results,
                                       const CpuBenchSettings& settings) {
    auto list = nlohmann::ordered_json::array();
    std::uint64_t fewest_runs = ~std::uint64_t{0};
    for (const CpuBenchResult& result : results) {
        list.push_back(json_of(result));
        fewest_runs = std::min(fewest_runs, result.mips.count());
    }
    return {{"iters_per_run", settings.single_run.value_or(CpuBenchSettings::default_iterations)},
            {"warmup_runs", settings.warmup_runs},
            {"measured_runs", results.empty() ? 0 : fewest_runs},
            {"seconds", settings.single_run ? nlohmann::ordered_json(nullptr)
                                            : nlohmann::ordered_json(settings.time.count())},
            {"results", list}};
}

}  // namespace backplane::bench
