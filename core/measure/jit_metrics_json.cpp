#include "measure/jit_metrics.h"

#include <nlohmann/json.hpp>

namespace backplane::measure {

using nlohmann::ordered_json;

ordered_json to_json(const std::optional<JitMetrics>& metrics) {
    const JitMetrics known = metrics.value_or(JitMetrics{JitMetricsTotals::of({}), {}});
    const JitMetricsTotals& totals = known.totals;
    const JitMetricsRolling& rolling = known.rolling;
    const auto value = [&](auto each) {
        return metrics ? ordered_json(each) : ordered_json(nullptr);
    };
    constexpr double nanoseconds_per_millisecond = 1e6;
    auto passes = ordered_json::object();
    for (const auto& [name, nanoseconds] : totals.tier2_pass_ns_total)
        passes[name] = value(static_cast<double>(nanoseconds) / nanoseconds_per_millisecond);
    return {{"enabled", value(totals.enabled)},
            {"totals",
             {{"tier1",
               {{"blocks_compiled", value(totals.tier1_blocks_compiled_total)},
                {"compile_ms", value(totals.tier1_compile_ms())}}},
              {"tier2",
               {{"blocks_compiled", value(totals.tier2_blocks_compiled_total)},
                {"compile_ms", value(totals.tier2_compile_ms())},
                {"passes_ms", passes}}},
              {"cache",
               {{"lookup_hit", value(totals.cache_lookup_hit_total)},
                {"lookup_miss", value(totals.cache_lookup_miss_total)},
                {"capacity_bytes", value(totals.code_cache_capacity_bytes)},
                {"used_bytes", value(totals.code_cache_used_bytes)},
                {"install", value(totals.cache_install_total)},
                {"evict", value(totals.cache_evict_total)},
                {"invalidate", value(totals.cache_invalidate_total)},
                {"stale_install_reject", value(totals.cache_stale_install_reject_total)},
                {"compile_request", value(totals.compile_request_total)}}},
              {"deopt",
               {{"count", value(totals.deopt_total)},
                {"guard_fail", value(totals.guard_fail_total)}}}}},
            {"rolling",
             {{"window_ms", value(rolling.window_ms)},
              {"cache_hit_rate", value(rolling.cache_hit_rate)},
              {"compile_ms_per_s", value(rolling.compile_ms_per_s())},
              {"blocks_compiled_per_s", value(rolling.blocks_compiled_per_s)}}}};
}

}  // namespace backplane::measure
