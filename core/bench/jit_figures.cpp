#include "bench/jit_figures.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

namespace backplane::bench {

namespace {

std::uint64_t value_of(const Statistics& statistics, const std::string& name) {
    const auto found = statistics.find(name);
    return found == statistics.end() ? 0 : found->second;
}

}  // namespace

// The window is all that was measured.
measure::JitMetrics JitFigures::metrics() const {
    using measure::JitMetricsTotals, measure::JitMetricsRolling;
    measure::JitMetrics metrics{
        JitMetricsTotals::of(totals),
        JitMetricsRolling::between(JitMetricsTotals::of({}), JitMetricsTotals::of(measured), time)};
    metrics.totals.enabled = enabled;
    return metrics;
}

std::string JitFigures::lines() const {
    const measure::JitMetrics known = metrics();
    if (!enabled) return known.line();
    const auto kept = value_of(totals, "jit.tier2.kept_total"),
               taken_out = value_of(totals, "jit.tier2.taken_out_total");
    const std::string judged = kept + taken_out == 0
                                   ? ""
                                   : fmt::format(" (faster: {} of {})", kept, kept + taken_out);
    const auto translations = value_of(measured, "mmu_translate_calls");
    const std::string ratio = translations == 0
                                  ? "none"
                                  : fmt::format("{} = 1/{:.0f} of accesses", translations,
                                                static_cast<double>(memory_accesses) /
                                                    static_cast<double>(translations));
    return fmt::format("{}\n  tier 1: {} blocks in {:.2f} ms, tier 2: {} blocks in {:.2f} ms{}; "
                       "cache {:.0f} KiB; translations {}; deopts {}",
                       known.line(), known.totals.tier1_blocks_compiled_total,
                       known.totals.tier1_compile_ms(), known.totals.tier2_blocks_compiled_total,
                       known.totals.tier2_compile_ms(), judged,
                       static_cast<double>(known.totals.code_cache_used_bytes) / 1024, ratio,
                       known.totals.deopt_total);
}

nlohmann::ordered_json JitFigures::json() const {
    nlohmann::ordered_json json = measure::to_json(metrics());
    json["mmu_translate_calls"] = value_of(measured, "mmu_translate_calls");
    json["guest_mem_ops"] = memory_accesses;
    return json;
}

Statistics difference(const Statistics& later, const Statistics& earlier) {
    Statistics grown;
    for (const auto& [name, value] : later) {
        const auto before = value_of(earlier, name);
        grown[name] = value > before ? value - before : 0;
    }
    return grown;
}

bool is_settled(const Statistics& later, const Statistics& earlier) {
    return std::ranges::none_of(later, [&](const auto& statistic) {
        const auto& [name, value] = statistic;
        const bool tells = name.starts_with("jit.tier") || name == "jit.cache.install_total" ||
                           name == "jit.cache.remake_total";
        return tells && value != value_of(earlier, name);
    });
}

}  // namespace backplane::bench
