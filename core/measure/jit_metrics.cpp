#include "measure/jit_metrics.h"

#include <fmt/format.h>

#include <string_view>

namespace backplane::measure {

namespace {

constexpr double nanoseconds_per_millisecond = 1e6;

double milliseconds(std::uint64_t nanoseconds) {
    return static_cast<double>(nanoseconds) / nanoseconds_per_millisecond;
}

double rate_of(std::uint64_t hits, std::uint64_t misses) {
    const double lookups = static_cast<double>(hits) + static_cast<double>(misses);
    return lookups > 0 ? static_cast<double>(hits) / lookups : 0;
}

// jit.tier2.pass.NAME.time_total, as NAME.
std::map<std::string, std::uint64_t> passes_of(const Statistics& statistics) {
    constexpr std::string_view before = "jit.tier2.pass.", behind = ".time_total";
    std::map<std::string, std::uint64_t> passes{{"const_fold", 0}, {"dce", 0}, {"regalloc", 0}};
    for (const auto& [name, value] : statistics)
        if (name.starts_with(before) && name.ends_with(behind))
            passes[name.substr(before.size(), name.size() - before.size() - behind.size())] = value;
    return passes;
}

}  // namespace

JitMetricsTotals JitMetricsTotals::of(const Statistics& statistics) {
    const auto value = [&](const char* name) {
        const auto found = statistics.find(name);
        return found == statistics.end() ? 0 : found->second;
    };
    JitMetricsTotals totals;
    totals.tier1_blocks_compiled_total = value("jit.tier1.blocks_compiled_total");
    totals.tier2_blocks_compiled_total = value("jit.tier2.blocks_compiled_total");
    totals.tier1_compile_ns_total = value("jit.tier1.compile_time_total");
    totals.tier2_compile_ns_total = value("jit.tier2.compile_time_total");
    totals.tier2_pass_ns_total = passes_of(statistics);
    totals.cache_lookup_hit_total = value("jit.cache.lookup_hit_total");
    totals.cache_lookup_miss_total = value("jit.cache.lookup_miss_total");
    totals.cache_install_total = value("jit.cache.install_total");
    totals.cache_evict_total = value("jit.cache.evict_total");
    totals.cache_invalidate_total = value("jit.cache.invalidate_total");
    totals.cache_stale_install_reject_total = value("jit.cache.stale_install_reject_total");
    totals.compile_request_total = value("jit.cache.compile_request_total");
    totals.deopt_total = value("jit.deopt_total");
    totals.guard_fail_total = value("jit.guard_fail_total");
    totals.code_cache_capacity_bytes = value("jit.cache.capacity_bytes");
    totals.code_cache_used_bytes = value("jit.cache.used_bytes");
    totals.enabled = statistics.contains("jit.tier1.blocks_compiled_total");
    return totals;
}

double JitMetricsTotals::tier1_compile_ms() const { return milliseconds(tier1_compile_ns_total); }
double JitMetricsTotals::tier2_compile_ms() const { return milliseconds(tier2_compile_ns_total); }
double JitMetricsTotals::cache_hit_rate() const {
    return rate_of(cache_lookup_hit_total, cache_lookup_miss_total);
}

// A counter that falls was started again, and tells nothing of the time between.
JitMetricsRolling JitMetricsRolling::between(const JitMetricsTotals& earlier,
                                             const JitMetricsTotals& later,
                                             std::chrono::duration<double> time) {
    JitMetricsRolling rolling;
    if (time.count() <= 0) return rolling;
    const auto grown = [&](std::uint64_t JitMetricsTotals::* which) {
        return later.*which > earlier.*which ? later.*which - earlier.*which : 0;
    };
    const auto per_second = [&](double value) { return value / time.count(); };
    using Totals = JitMetricsTotals;
    rolling.window_ms = time.count() * 1000;
    rolling.cache_hit_rate = rate_of(grown(&Totals::cache_lookup_hit_total),
                                     grown(&Totals::cache_lookup_miss_total));
    rolling.tier1_compile_ms_per_s = per_second(
        milliseconds(grown(&Totals::tier1_compile_ns_total)));
    rolling.tier2_compile_ms_per_s = per_second(
        milliseconds(grown(&Totals::tier2_compile_ns_total)));
    rolling.blocks_compiled_per_s = per_second(static_cast<double>(
        grown(&Totals::tier1_blocks_compiled_total) + grown(&Totals::tier2_blocks_compiled_total)));
    return rolling;
}

std::string JitMetrics::line() const {
    if (!totals.enabled) return "JIT none";
    return fmt::format("JIT cache hit {:.1f} %, blocks {} (+{:.1f}/s), compile {:.2f} ms/s "
                       "(t1={:.2f}, t2={:.2f})",
                       100 * rolling.cache_hit_rate, totals.blocks_compiled(),
                       rolling.blocks_compiled_per_s, rolling.compile_ms_per_s(),
                       rolling.tier1_compile_ms_per_s, rolling.tier2_compile_ms_per_s);
}

std::optional<JitMetrics> JitMetricsWindow::metrics() const {
    if (samples_.is_empty()) return std::nullopt;
    return JitMetrics{samples_.last(), JitMetricsRolling::between(samples_.first(), samples_.last(),
                                                                  samples_.length())};
}

}  // namespace backplane::measure
