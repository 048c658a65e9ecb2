// What compiling was like: the figures of a processor's jit.* statistics that every report has, and
// what they grew by within a window of time. The one implementation for benchmarks, profiles,
// `run --stats` and `backplane top`.
#pragma once

#include "measure/rolling_samples.h"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace backplane::measure {

// By name, as a component declares them; summed over all processors.
using Statistics = std::map<std::string, std::uint64_t>;

// Since the machine was switched on. Engines that do not compile have zeros.
struct JitMetricsTotals {
    std::uint64_t tier1_blocks_compiled_total = 0, tier2_blocks_compiled_total = 0;
    std::uint64_t tier1_compile_ns_total = 0, tier2_compile_ns_total = 0;
    // By pass; const_fold, dce and regalloc are always there.
    std::map<std::string, std::uint64_t> tier2_pass_ns_total;
    std::uint64_t cache_lookup_hit_total = 0, cache_lookup_miss_total = 0;
    std::uint64_t cache_install_total = 0, cache_evict_total = 0, cache_invalidate_total = 0;
    std::uint64_t cache_stale_install_reject_total = 0, compile_request_total = 0;
    std::uint64_t deopt_total = 0, guard_fail_total = 0;
    std::uint64_t code_cache_capacity_bytes = 0, code_cache_used_bytes = 0;
    bool enabled = false;  // an engine that compiles has told them

    static JitMetricsTotals of(const Statistics& statistics);

    [[nodiscard]] std::uint64_t blocks_compiled() const {
        return tier1_blocks_compiled_total + tier2_blocks_compiled_total;
    }
    [[nodiscard]] double tier1_compile_ms() const;
    [[nodiscard]] double tier2_compile_ms() const;
    // Of all lookups; 0 when there were none.
    [[nodiscard]] double cache_hit_rate() const;
};

// What happened between two instants. Zeros while no time has passed.
struct JitMetricsRolling {
    double window_ms = 0;
    double cache_hit_rate = 0;
    double tier1_compile_ms_per_s = 0, tier2_compile_ms_per_s = 0;
    double blocks_compiled_per_s = 0;

    static JitMetricsRolling between(const JitMetricsTotals& earlier, const JitMetricsTotals& later,
                                     std::chrono::duration<double> time);
    [[nodiscard]] double compile_ms_per_s() const {
        return tier1_compile_ms_per_s + tier2_compile_ms_per_s;
    }
};

struct JitMetrics {
    JitMetricsTotals totals;
    JitMetricsRolling rolling;

    // "JIT cache hit 99.1 %, blocks 120 (+3.0/s), compile 0.52 ms/s (t1=0.52, t2=0.00)"; "JIT none"
    // for an engine that does not compile.
    [[nodiscard]] std::string line() const;
};

// Follows a machine that runs.
class JitMetricsWindow {
public:
    using Clock = std::chrono::steady_clock;
    static constexpr std::chrono::seconds default_window{1};

    explicit JitMetricsWindow(Clock::duration window = default_window) : samples_{window} {}

    void add(const Statistics& statistics, Clock::time_point when) {
        samples_.add(JitMetricsTotals::of(statistics), when);
    }
    // Nothing until something was added.
    [[nodiscard]] std::optional<JitMetrics> metrics() const;

private:
    RollingSamples<JitMetricsTotals> samples_;
};

// {enabled, totals: {tier1, tier2, cache, deopt}, rolling}; each figure null when nothing is known.
[[nodiscard]] nlohmann::ordered_json to_json(const std::optional<JitMetrics>& metrics);

}  // namespace backplane::measure
