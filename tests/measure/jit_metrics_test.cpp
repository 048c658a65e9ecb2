// Figures of compiling from statistics by name, in total and within the last second.
#include "measure/jit_metrics.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace backplane::measure {
namespace {

using namespace std::chrono_literals;
using nlohmann::ordered_json;

Statistics compiling(std::uint64_t blocks, std::uint64_t nanoseconds, std::uint64_t hits,
                     std::uint64_t misses) {
    return {{"instructions", 1000},
            {"jit.tier1.blocks_compiled_total", blocks},
            {"jit.tier1.compile_time_total", nanoseconds},
            {"jit.tier2.blocks_compiled_total", blocks / 10},
            {"jit.tier2.compile_time_total", nanoseconds * 4},
            {"jit.tier2.pass.const_fold.time_total", nanoseconds / 2},
            {"jit.tier2.pass.licm.time_total", nanoseconds / 4},
            {"jit.cache.lookup_hit_total", hits},
            {"jit.cache.lookup_miss_total", misses},
            {"jit.cache.capacity_bytes", 1 << 20},
            {"jit.cache.used_bytes", 4096},
            {"jit.deopt_total", 7},
            {"jit.guard_fail_total", 3}};
}

TEST(JitMetrics, AreThoseOfTheStatistics) {
    JitMetricsWindow window;
    EXPECT_FALSE(window.metrics());
    window.add(compiling(20, 8'000'000, 90, 10), {});
    const auto metrics = window.metrics();
    ASSERT_TRUE(metrics);
    EXPECT_EQ(metrics->totals.blocks_compiled(), 22u);
    EXPECT_DOUBLE_EQ(metrics->totals.cache_hit_rate(), 0.9);
    const ordered_json json = to_json(metrics);
    EXPECT_EQ(json["enabled"], true);
    EXPECT_EQ(json["totals"]["tier1"],
              (ordered_json{{"blocks_compiled", 20}, {"compile_ms", 8.0}}));
    EXPECT_EQ(json["totals"]["tier2"]["compile_ms"], 32.0);
    EXPECT_EQ(json["totals"]["tier2"]["passes_ms"],
              (ordered_json{{"const_fold", 4.0}, {"dce", 0.0}, {"licm", 2.0}, {"regalloc", 0.0}}));
    EXPECT_EQ(json["totals"]["cache"]["lookup_miss"], 10);
    EXPECT_EQ(json["totals"]["cache"]["capacity_bytes"], 1 << 20);
    EXPECT_EQ(json["totals"]["deopt"], (ordered_json{{"count", 7}, {"guard_fail", 3}}));
    EXPECT_EQ(json["rolling"]["window_ms"], 0.0);
    EXPECT_EQ(json["rolling"]["cache_hit_rate"], 0.0) << "no time has passed";
}

TEST(JitMetrics, RollOverTheLastSecond) {
    JitMetricsWindow window;
    JitMetricsWindow::Clock::time_point now{};
    window.add(compiling(0, 0, 0, 0), now);
    // The fast start is over a second ago.
    window.add(compiling(1000, 500'000'000, 10, 90), now += 500ms);
    for (unsigned i = 1; i <= 10; ++i)
        window.add(compiling(1000 + 2 * i, 500'000'000 + i * 100'000, 10 + 3 * i, 90 + i),
                   now += 100ms);
    const auto metrics = window.metrics();
    ASSERT_TRUE(metrics);
    EXPECT_DOUBLE_EQ(metrics->rolling.window_ms, 1000);
    EXPECT_DOUBLE_EQ(metrics->rolling.cache_hit_rate, 0.75);
    EXPECT_DOUBLE_EQ(metrics->rolling.tier1_compile_ms_per_s, 1);
    EXPECT_DOUBLE_EQ(metrics->rolling.compile_ms_per_s(), 5) << "both tiers";
    EXPECT_DOUBLE_EQ(metrics->rolling.blocks_compiled_per_s, 22);
    EXPECT_EQ(metrics->line(), "JIT cache hit 75.0 %, blocks 1122 (+22.0/s), compile 5.00 ms/s "
                               "(t1=1.00, t2=4.00)");
}

TEST(JitMetrics, OfWhatWasStartedAgainAreNotNegative) {
    const auto rolling = JitMetricsRolling::between(
        JitMetricsTotals::of(compiling(100, 1000, 50, 50)),
        JitMetricsTotals::of(compiling(10, 100, 5, 5)), 1s);
    EXPECT_EQ(rolling.blocks_compiled_per_s, 0);
    EXPECT_EQ(rolling.cache_hit_rate, 0);
    EXPECT_EQ(rolling.compile_ms_per_s(), 0);
}

void expect_leaves(const ordered_json& json, const ordered_json& value, const std::string& where) {
    for (const auto& [name, member] : json.items())
        if (member.is_object())
            expect_leaves(member, value, where + '.' + name);
        else if (name != "enabled" && name != "window_ms")
            EXPECT_EQ(member, value) << where << '.' << name;
}

TEST(JitMetrics, AreZeroForAnInterpreterAndNullWhereNothingIsKnown) {
    JitMetricsWindow window;
    window.add({{"instructions", 1000}}, {});
    window.add({{"instructions", 2000}}, JitMetricsWindow::Clock::time_point{1s});
    const ordered_json none = to_json(window.metrics());
    EXPECT_EQ(none["enabled"], false);
    expect_leaves(none, 0, "jit");
    EXPECT_EQ(window.metrics()->line(), "JIT none");
    const ordered_json unknown = to_json(std::nullopt);
    EXPECT_EQ(unknown["enabled"], nullptr);
    EXPECT_EQ(unknown["rolling"]["window_ms"], nullptr);
    expect_leaves(unknown, nullptr, "jit");
    EXPECT_EQ(unknown["totals"]["tier2"]["passes_ms"].size(), 3u) << "the same names";
}

}  // namespace
}  // namespace backplane::measure
