#include "profile/profile_export.h"

#include "profile/opcode_report.h"
#include "profile/profile_totals.h"
#include "profile/space_saving.h"
#include "profile/speed_history.h"
#include "profile/statistics_history.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <optional>

namespace backplane::profile {
namespace {

using nlohmann::json;

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json(nullptr);
}

json share(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return nullptr;
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

json time_split(const ProfileTotals& totals) {
    // What a busy guest is to reach, in percent.
    struct Part {
        const char* name;
        Activity activity;
        int target;
    };
    constexpr Part parts[]{{"compiled_code", Activity::CompiledCode, 40},
                           {"memory", Activity::Memory, 25},
                           {"device", Activity::Device, 15},
                           {"interpreter", Activity::Interpreter, 10},
                           {"compiler", Activity::Compiler, 5},
                           {"waiting", Activity::Waiting, 5}};
    json split;
    for (const Part& part : parts) {
        const std::uint64_t samples = totals.by_activity[static_cast<std::size_t>(part.activity)];
        split[part.name] = {{"samples", samples},
                            {"percent", share(samples, totals.samples - totals.idle)},
                            {"target_percent", part.target}};
    }
    return split;
}

// By instructions where blocks were counted, and by samples otherwise: then nobody knows how many
// instructions those are.
json hotspots(const Recording& recording, const ExportOptions& options) {
    const bool is_counted = !recording.blocks.empty();
    SpaceSaving<std::uint64_t> hot{options.hot_blocks};
    for (const BlockCount& block : recording.blocks)
        hot.add(block.pc, block.hits, block.instructions);
    if (!is_counted)
        for (const Sample& sample : recording.samples)
            if (!sample.is_idle()) hot.add(sample.pc, 1, sample.weight);
    json list = json::array();
    for (const auto& entry : hot.heaviest(options.hotspots))
        list.push_back({{"pc", fmt::format("{:#x}", entry.key)},
                        {"hits", is_counted ? json(entry.hits) : json(nullptr)},
                        {"instructions", is_counted ? json(entry.weight) : json(nullptr)},
                        {"samples", is_counted ? json(nullptr) : json(entry.weight)},
                        {"error", entry.error},
                        {"percent_of_total", share(entry.weight, hot.total())}});
    return list;
}

json functions(const ProfileStacks& stacks, const ProfileTotals& totals, std::size_t most) {
    json list = json::array();
    for (const FunctionTotal& total : totals.functions) {
        if (list.size() == most) break;
        const Function& function = stacks.functions()[total.function];
        list.push_back({{"name", function.name},
                        {"module", function.module.empty() ? json(nullptr) : json(function.module)},
                        {"self", total.self},
                        {"total", total.total}});
    }
    return list;
}

}  // namespace

json profile_export(ProfileStacks& stacks, const ExportOptions& options) {
    const Recording& recording = stacks.recording();
    const Settings& settings = recording.settings;
    const ProfileTotals totals = profile_totals(stacks);
    const SpeedHistory speed{recording};
    constexpr std::size_t window_steps = 10;
    const auto known = [](std::uint64_t value) { return value == 0 ? json(nullptr) : json(value); };
    json tiers = json::object();
    for (const auto& [tier, samples] : totals.by_tier)
        tiers[std::to_string(tier)] = samples;
    const bool has_time = totals.seconds > 0;
    json opcodes = opcode_export(stacks);
    return {{"kind", "backplane-profile"},
            {"version", 1},
            {"settings",
             {{"frequency_hz", known(settings.frequency)},
              {"instructions", known(settings.instructions)},
              {"cpus", settings.cpus},
              {"started_unix_ms", settings.started}}},
            {"complete", recording.is_complete},
            {"totals",
             {{"seconds", totals.seconds},
              {"samples", totals.samples},
              {"samples_idle", totals.idle},
              {"samples_exact", totals.exact},
              {"samples_lost", recording.lost},
              {"instructions_executed", totals.instructions},
              {"rep_iterations", or_null(growth(recording.statistics, "rep_iterations"))},
              {"mips_avg",
               has_time ? json(static_cast<double>(totals.instructions) / totals.seconds / 1e6)
                        : json(nullptr)}}},
            {"rolling",
             {{"window_ms", window_steps * SpeedHistory::step / 1'000'000},
              {"mips_avg", or_null(speed.average_of_last(window_steps))},
              {"mips_p95", or_null(speed.p95())}}},
            {"jit", measure::to_json(jit_metrics(recording.statistics))},
            {"time_split", time_split(totals)},
            {"tiers", std::move(tiers)},
            {"functions", functions(stacks, totals, options.functions)},
            {"hotspots", hotspots(recording, options)},
            {"opcodes", std::move(opcodes["opcodes"])},
            {"opcode_profile", std::move(opcodes["summary"])}};
}

}  // namespace backplane::profile
