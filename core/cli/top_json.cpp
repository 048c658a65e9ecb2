#include "cli/top_figures.h"

#include <fmt/format.h>

namespace backplane::cli {

namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::optional<double>& value) {
    return value ? ordered_json(*value) : ordered_json(nullptr);
}

ordered_json percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return nullptr;
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

ordered_json samples_of(const TopFrame& frame) {
    auto split = ordered_json::object();
    for (const std::string_view name : activities) {
        const std::string activity{name};
        split[activity] = percent(frame.by_activity.at(activity), frame.samples);
    }
    const bool is_known = frame.why_no_samples.empty();
    return {{"window_ms", frame.sample_window_ms},
            {"why_none", is_known ? ordered_json(nullptr) : ordered_json(frame.why_no_samples)},
            {"samples", frame.samples},
            {"samples_lost", frame.lost},
            {"idle_percent", percent(frame.idle, frame.idle + frame.samples)},
            {"time_split_percent", split}};
}

}  // namespace

ordered_json to_json(const TopFrame& frame) {
    std::uint64_t executed = 0;
    for (const auto& [tier, samples] : frame.by_tier)
        executed += samples;
    auto tiers = ordered_json::object();
    for (const auto& [tier, samples] : frame.by_tier)
        tiers[std::to_string(tier)] = percent(samples, executed);
    auto hotspots = ordered_json::array();
    for (const HotBlock& block : frame.hot_blocks)
        hotspots.push_back({{"pc", fmt::format("{:#x}", block.pc)},
                            {"end", fmt::format("{:#x}", block.end)},
                            {"address_space", fmt::format("{:#x}", block.address_space)},
                            {"privilege", block.privilege},
                            {"samples", block.samples},
                            {"percent_of_total", percent(block.samples, frame.samples)}});
    auto devices = ordered_json::array();
    for (const TopFrame::Device& device : frame.devices)
        devices.push_back({{"window", device.window},
                           {"space", device.space},
                           {"reads_per_s", device.reads_per_s},
                           {"writes_per_s", device.writes_per_s}});
    return {{"kind", "backplane-top"},
            {"version", 1},
            {"machine", frame.machine},
            {"state", frame.state},
            {"cpus", frame.cpus},
            {"elapsed_ms", frame.elapsed_ms},
            {"instructions_executed", frame.instructions_executed},
            {"rep_iterations", frame.rep_iterations},
            {"mips",
             {{"window_ms", frame.mips_window_ms},
              {"avg", or_null(frame.mips_avg)},
              {"p95", or_null(frame.mips_p95)}}},
            {"time", samples_of(frame)},
            {"tiers_percent", tiers},
            {"hotspots", hotspots},
            {"devices", devices},
            {"jit", measure::to_json(frame.jit)}};
}

}  // namespace backplane::cli
