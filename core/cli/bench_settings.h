// What `backplane bench cpu` was asked to measure.
#pragma once

#include "bench/cpu_bench.h"
#include "cli/command.h"

#include <expected>
#include <string>
#include <vector>

namespace backplane::cli {

struct BenchSettings {
    std::vector<bench::Kernel> kernels;
    std::vector<bench::EngineMode> modes;
    bench::CpuBenchSettings settings;
};

void declare_bench_settings(CommandOptions& options);
// Or what is wrong with an option.
[[nodiscard]] std::expected<BenchSettings, std::string> bench_settings(const Arguments& arguments);

}  // namespace backplane::cli
