#include "bench/jit_figures.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace backplane::bench {

namespace {

constexpr double nanoseconds_per_millisecond = 1e6;

std::uint64_t value_of(const Statistics& statistics, const std::string& name) {
    const auto found = statistics.find(name);
    return found == statistics.end() ? 0 : found->second;
}

double milliseconds(const Statistics& statistics, const std::string& name) {
    return static_cast<double>(value_of(statistics, name)) / nanoseconds_per_millisecond;
}

double hit_rate(const Statistics& statistics) {
    const auto hits = value_of(statistics, "jit.cache.lookup_hit_total");
    const auto lookups = hits + value_of(statistics, "jit.cache.lookup_miss_total");
    return lookups == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(lookups);
}

// jit.tier2.pass.NAME.time_total, as NAME: milliseconds.
nlohmann::ordered_json passes(const Statistics& statistics) {
    constexpr std::string_view before = "jit.tier2.pass.", behind = ".time_total";
    auto all = nlohmann::ordered_json::object();
    for (const auto& [name, value] : statistics)
        if (name.starts_with(before) && name.ends_with(behind))
            all[name.substr(before.size(), name.size() - before.size() - behind.size())] =
                milliseconds(statistics, name);
    return all;
}

}  // namespace

std::string JitFigures::line() const {
    if (!enabled) return "jit: none";
    const auto tier = [&](int number) {
        const std::string name = fmt::format("jit.tier{}.", number);
        return fmt::format("tier {}: {} blocks in {:.2f} ms", number,
                           value_of(totals, name + "blocks_compiled_total"),
                           milliseconds(totals, name + "compile_time_total"));
    };
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
    return fmt::format("{}, {}{}; cache hits {:.0f} %, {:.0f} KiB; translations {}; deopts {}",
                       tier(1), tier(2), judged, 100 * hit_rate(totals),
                       static_cast<double>(value_of(totals, "jit.cache.used_bytes")) / 1024, ratio,
                       value_of(totals, "jit.deopt_total"));
}

nlohmann::ordered_json JitFigures::json() const {
    const auto tier = [&](const std::string& name) {
        return nlohmann::ordered_json{
            {"blocks_compiled", value_of(totals, name + ".blocks_compiled_total")},
            {"compile_ms", milliseconds(totals, name + ".compile_time_total")}};
    };
    auto tier2 = tier("jit.tier2");
    tier2["passes_ms"] = passes(totals);
    const auto total = [&](const char* name) { return value_of(totals, name); };
    const auto per_second = [&](double value) {
        return time.count() > 0 ? value / time.count() : 0;
    };
    const auto blocks = value_of(measured, "jit.tier1.blocks_compiled_total") +
                        value_of(measured, "jit.tier2.blocks_compiled_total");
    return {
        {"enabled", enabled},
        {"totals",
         {{"tier1", tier("jit.tier1")},
          {"tier2", tier2},
          {"cache",
           {{"lookup_hit", total("jit.cache.lookup_hit_total")},
            {"lookup_miss", total("jit.cache.lookup_miss_total")},
            {"capacity_bytes", total("jit.cache.capacity_bytes")},
            {"used_bytes", total("jit.cache.used_bytes")}}},
          {"deopt",
           {{"count", total("jit.deopt_total")}, {"guard_fail", total("jit.guard_fail_total")}}}}},
        {"rolling",
         {{"window_ms", time.count() * 1000},
          {"cache_hit_rate", hit_rate(measured)},
          {"compile_ms_per_s", per_second(milliseconds(measured, "jit.tier1.compile_time_total") +
                                          milliseconds(measured, "jit.tier2.compile_time_total"))},
          {"blocks_compiled_per_s", per_second(static_cast<double>(blocks))}}},
        {"mmu_translate_calls", value_of(measured, "mmu_translate_calls")},
        {"guest_mem_ops", memory_accesses}};
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
