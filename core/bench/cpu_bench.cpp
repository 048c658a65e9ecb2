#include "bench/cpu_bench.h"

#include "measure/nearest_rank.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::bench {

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

// For so long nothing may have been compiled before speed is measured. LLVM compiles a loop in the
// background, in tens of milliseconds on a quiet host.
constexpr Seconds longest_quiet{0.3}, shortest_quiet{0.03};
constexpr Seconds longest_settling{10};
// How long to wait for LLVM's code, which a busy host may keep waiting: so many times as long as is
// measured, up to this.
constexpr double times_awaited = 3;
constexpr Seconds longest_awaiting{5};

class Measurement {
public:
    Measurement(const Kernel& kernel, const EngineMode& mode, const CpuBenchSettings& settings,
                KernelMachine& machine)
        : kernel_{kernel}, mode_{mode}, settings_{settings}, machine_{machine} {}

    std::expected<CpuBenchResult, Failure> measure();

private:
    std::expected<KernelMachine::Run, Failure> run(std::uint64_t iterations);
    std::expected<void, Failure> warm_up();
    std::expected<void, Failure> settle();
    std::expected<void, Failure> add_run();

    const Kernel& kernel_;
    const EngineMode& mode_;
    const CpuBenchSettings& settings_;
    KernelMachine& machine_;
    CpuBenchResult result_{};
};

std::expected<KernelMachine::Run, Failure> Measurement::run(std::uint64_t iterations) {
    const std::uint64_t expected = iterations == result_.iterations_per_run
                                       ? result_.expected_checksum
                                       : kernel_.checksum(iterations);
    const auto done = machine_.run(iterations);
    if (done && done->checksum == expected) return done;
    const int digits = result_.checksum_digits;
    const std::string what = done ? fmt::format("expected checksum {:#0{}x}, observed {:#0{}x}",
                                                expected, digits + 2, done->checksum, digits + 2)
                                  : done.error().what;
    return std::unexpected{Failure{
        fmt::format("{} in {}, {} iterations: {}", kernel_.name, mode_.name, iterations, what)}};
}

std::expected<void, Failure> Measurement::warm_up() {
    for (unsigned i = 0; i < settings_.warmup_runs; ++i)
        if (auto done = run(CpuBenchSettings::default_iterations); !done)
            return std::unexpected{done.error()};
    return mode_.compiles && settings_.warmup_runs != 0 ? settle() : std::expected<void, Failure>{};
}

std::expected<void, Failure> Measurement::settle() {
    const Seconds quiet = std::clamp(settings_.time, shortest_quiet, longest_quiet);
    const Seconds awaiting = std::min(settings_.time * times_awaited, longest_awaiting);
    // Tier 2 compiles no 32-bit code.
    const std::string awaited{kernel_.size == CodeSize::Bits64 ? mode_.awaited : ""};
    const auto begun = Clock::now();
    auto changed = begun;
    Statistics before = machine_.statistics();
    const auto is_awaited = [&](Clock::time_point now) {
        return !awaited.empty() && before[awaited] == 0 && now - begun < awaiting;
    };
    for (auto now = begun;
         (now - changed < quiet || is_awaited(now)) && now - begun < longest_settling;
         now = Clock::now()) {
        for (int i = 0; i < 10; ++i)
            if (auto done = run(CpuBenchSettings::default_iterations); !done)
                return std::unexpected{done.error()};
        Statistics after = machine_.statistics();
        if (!is_settled(after, before)) changed = Clock::now();
        before = std::move(after);
    }
    return {};
}

std::expected<void, Failure> Measurement::add_run() {
    const auto done = run(result_.iterations_per_run);
    if (!done) return std::unexpected{done.error()};
    const Seconds time = std::max<Clock::duration>(done->time, Clock::duration{1});
    result_.observed_checksum = done->checksum;
    result_.time += time;
    result_.run_mips.push_back(static_cast<double>(done->instructions) / time.count() / 1e6);
    result_.mips.add(result_.run_mips.back());
    return {};
}

std::expected<CpuBenchResult, Failure> Measurement::measure() {
    constexpr int hexadecimal_digits64 = 16, hexadecimal_digits32 = 8;
    result_.variant = kernel_.name;
    result_.mode = mode_.name;
    result_.warmup_runs = settings_.warmup_runs;
    result_.iterations_per_run = settings_.single_run.value_or(
        CpuBenchSettings::default_iterations);
    result_.instructions_per_run = kernel_.instructions(result_.iterations_per_run);
    result_.expected_checksum = kernel_.checksum(result_.iterations_per_run);
    result_.checksum_digits = kernel_.size == CodeSize::Bits64 ? hexadecimal_digits64
                                                               : hexadecimal_digits32;

    if (auto warm = warm_up(); !warm) return std::unexpected{warm.error()};
    const Statistics before = machine_.statistics();
    const auto start = Clock::now();
    do {
        if (auto added = add_run(); !added) return std::unexpected{added.error()};
    } while (!settings_.single_run && Clock::now() - start < settings_.time);

    const Statistics after = machine_.statistics();
    result_.jit = {.enabled = mode_.compiles,
                   .totals = after,
                   .measured = difference(after, before),
                   .time = Clock::now() - start,
                   .memory_accesses = kernel_.accesses(result_.iterations_per_run) *
                                      result_.mips.count()};
    return result_;
}

}  // namespace

double CpuBenchResult::median() const { return measure::percentile(run_mips, 50); }
double CpuBenchResult::p95() const { return measure::percentile(run_mips, 95); }

std::expected<CpuBenchResult, Failure> run_cpu_bench(const Kernel& kernel, const EngineMode& mode,
                                                     const CpuBenchSettings& settings,
                                                     runtime::PluginRegistry& plugins) {
    auto machine = KernelMachine::make(kernel, mode, settings.overrides, plugins);
    if (!machine) return std::unexpected{machine.error()};
    return Measurement{kernel, mode, settings, **machine}.measure();
}

}  // namespace backplane::bench
