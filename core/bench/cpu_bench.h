// `backplane bench cpu`: how many guest instructions a second each kernel reaches on each engine.
#pragma once

#include "bench/engine_mode.h"
#include "bench/jit_figures.h"
#include "bench/kernel.h"
#include "bench/kernel_machine.h"
#include "measure/running_moments.h"

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

namespace backplane::bench {

struct CpuBenchSettings {
    static constexpr std::uint64_t default_iterations = 10'000;

    // Runs are repeated for so long; or there is one, of so many iterations.
    std::chrono::duration<double> time{1};
    std::optional<std::uint64_t> single_run{};
    unsigned warmup_runs = 3;
    std::vector<runtime::Override> overrides{};  // for the machine, above the mode's settings
};

struct CpuBenchResult {
    std::string variant, mode;
    unsigned warmup_runs = 0;  // those asked for; engines that compile may have had more
    std::uint64_t iterations_per_run = 0, instructions_per_run = 0;
    measure::RunningMoments mips;  // of the measured runs
    std::vector<double> run_mips;
    std::chrono::duration<double> time{};  // of all of them
    std::uint64_t expected_checksum = 0, observed_checksum = 0;
    int checksum_digits = 0;
    JitFigures jit;

    [[nodiscard]] double median() const;
    [[nodiscard]] double p95() const;
};

// Every run's checksum and count of retired instructions are compared with what they must be; the
// failure names kernel, mode, and both values.
[[nodiscard]] std::expected<CpuBenchResult, Failure>
run_cpu_bench(const Kernel& kernel, const EngineMode& mode, const CpuBenchSettings& settings,
              runtime::PluginRegistry& plugins);

}  // namespace backplane::bench
