#include "cli/top_figures.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::cli {

namespace {

// What is not known.
constexpr const char* none = "-";

std::string percent(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return none;
    return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

std::string mips(const std::optional<double>& value) {
    return value ? fmt::format("{:.1f}", *value) : none;
}

std::string words(std::string_view name) {
    std::string text{name};
    std::ranges::replace(text, '_', ' ');
    return text;
}

std::string time_split(const TopFrame& frame) {
    std::string text;
    for (const std::string_view activity : activities)
        text += fmt::format("  {} {}", words(activity),
                            percent(frame.by_activity.at(std::string{activity}), frame.samples));
    return fmt::format("idle {}{}", percent(frame.idle, frame.idle + frame.samples), text);
}

std::string tiers(const TopFrame& frame) {
    std::uint64_t executed = 0;
    for (const auto& [tier, samples] : frame.by_tier)
        executed += samples;
    std::string text;
    for (const auto& [tier, samples] : frame.by_tier)
        text += fmt::format("{}{}: {}", text.empty() ? "" : "  ", tier, percent(samples, executed));
    return text.empty() ? none : text;
}

std::string name_of(const HotBlock& block) {
    constexpr std::uint8_t user = 3;
    const std::string place = block.end == block.pc
                                  ? fmt::format("{:#x}", block.pc)
                                  : fmt::format("{:#x}-{:#x}", block.pc, block.end);
    return fmt::format("{} {}", place, block.privilege == user ? "user" : "kernel");
}

std::string jit_line(const TopFrame& frame) {
    return frame.jit ? frame.jit->line() : std::string{"JIT "} + none;
}

}  // namespace

std::vector<std::string> screen_lines(const TopFrame& frame) {
    std::vector<std::string> lines{
        fmt::format("backplane top: {}, {}, {} CPU{}, {:.1f} s", frame.machine, frame.state,
                    frame.cpus, frame.cpus == 1 ? "" : "s", frame.elapsed_ms / 1000),
        fmt::format("MIPS   {} rolling, {} p95; {} instructions", mips(frame.mips_avg),
                    mips(frame.mips_p95), frame.instructions_executed),
        "Time   " + time_split(frame),
        "Tiers  " + tiers(frame),
        jit_line(frame),
        "",
        frame.why_no_samples.empty() ? "Hot blocks" : "Hot blocks: " + frame.why_no_samples};
    for (const HotBlock& block : frame.hot_blocks)
        lines.push_back(
            fmt::format("  {:>7}  {}", percent(block.samples, frame.samples), name_of(block)));
    lines.emplace_back();
    lines.push_back(fmt::format("{:<40} {:>12} {:>12}", "Devices", "reads/s", "writes/s"));
    for (const TopFrame::Device& device : frame.devices)
        lines.push_back(fmt::format("  {:<38} {:>12.0f} {:>12.0f}",
                                    fmt::format("{} ({})", device.window, device.space),
                                    device.reads_per_s, device.writes_per_s));
    return lines;
}

std::string plain_line(const TopFrame& frame) {
    std::string text = fmt::format("{:.1f} s  {}  MIPS {} (p95 {})  idle {}  tiers {}",
                                   frame.elapsed_ms / 1000, frame.state, mips(frame.mips_avg),
                                   mips(frame.mips_p95),
                                   percent(frame.idle, frame.idle + frame.samples), tiers(frame));
    if (!frame.hot_blocks.empty())
        text += fmt::format("  hot {} {}", name_of(frame.hot_blocks[0]),
                            percent(frame.hot_blocks[0].samples, frame.samples));
    if (!frame.devices.empty())
        text += fmt::format("  device {} {:.0f}/s", frame.devices[0].window,
                            frame.devices[0].reads_per_s + frame.devices[0].writes_per_s);
    return text + "  " + jit_line(frame);
}

}  // namespace backplane::cli
