#include "profile/opcode_report.h"

#include "profile/opcode_profile.h"
#include "profile/profile_totals.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

namespace backplane::profile {
namespace {

using nlohmann::json;

constexpr double nanoseconds_per_millisecond = 1e6;

// Recorded with `run --opcodes`: p1 counts, p2 samples, p3 both.
const char* mode_of(const OpcodeProfile& profile, const Recording& recording) {
    const bool has_time = profile.milliseconds_per_sample || recording.settings.instructions != 0;
    if (!profile.is_counted) return "p2";
    return has_time ? "p3" : "p1";
}

std::optional<double> share(std::uint64_t part, std::uint64_t whole) {
    if (whole == 0) return std::nullopt;
    return 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

struct Row {
    std::optional<double> time_ms, time_percent, count_percent, ns_each;
};

Row row_of(const OpcodeTotal& total, const OpcodeProfile& profile) {
    Row row{.time_ms = std::nullopt,
            .time_percent = share(total.samples, profile.samples),
            .count_percent = profile.is_counted ? share(total.count, profile.count) : std::nullopt,
            .ns_each = std::nullopt};
    if (profile.milliseconds_per_sample)
        row.time_ms = static_cast<double>(total.samples) * *profile.milliseconds_per_sample;
    if (row.time_ms && total.count != 0)
        row.ns_each = *row.time_ms * nanoseconds_per_millisecond / static_cast<double>(total.count);
    return row;
}

std::string cell(const std::optional<double>& value, int width, int digits) {
    return value ? fmt::format("{:>{}.{}f}", *value, width, digits)
                 : fmt::format("{:>{}}", "-", width);
}

std::string text_of(const Extent& extent) {
    const auto text = [](const std::optional<std::uint64_t>& value) {
        return value ? std::to_string(*value) : std::string{"-"};
    };
    return fmt::format("{} at the end, {} at most", text(extent.current), text(extent.peak));
}

template <class Value>
json or_null(const std::optional<Value>& value) {
    return value ? json(*value) : json(nullptr);
}

json json_of(const Extent& extent) {
    return {{"current", or_null(extent.current)}, {"peak", or_null(extent.peak)}};
}

}  // namespace

Extent stack_depth(ProfileStacks& stacks) {
    Extent extent;
    for (const Sample& sample : stacks.recording().samples) {
        if (sample.is_idle()) continue;
        std::uint64_t depth = 0;
        for (const Frame& frame : stacks.stack(sample))
            depth += stacks.functions()[frame.function].kind != FrameKind::Emulator;
        extent.current = depth;
        extent.peak = std::max(extent.peak.value_or(0), depth);
    }
    return extent;
}

Extent memory_extent(const Recording& recording) {
    const StatisticsHistory& statistics = recording.statistics;
    const auto name = std::ranges::find(statistics.names, "guest_memory_committed_bytes");
    if (name == statistics.names.end()) return {};
    const auto index = static_cast<std::size_t>(name - statistics.names.begin());
    Extent extent;
    for (const StatisticsHistory::Sample& sample : statistics.samples) {
        extent.current = sample.values[index];
        extent.peak = std::max(extent.peak.value_or(0), *extent.current);
    }
    return extent;
}

std::string opcode_report(ProfileStacks& stacks) {
    const Recording& recording = stacks.recording();
    const OpcodeProfile profile = opcode_profile(recording);
    const ProfileTotals totals = profile_totals(stacks);
    std::string text = fmt::format("Mode {}: {:.3f} s of the host, {} instructions of the guest.\n"
                                   "Stack depth in calls: {}.\nMemory in bytes: {}.\n",
                                   mode_of(profile, recording), totals.seconds,
                                   profile.is_counted
                                       ? profile.count + profile.unknown - profile.left_out
                                       : totals.instructions,
                                   text_of(stack_depth(stacks)), text_of(memory_extent(recording)));
    if (profile.is_counted)
        text += fmt::format("Of code that is not known any more: {} instructions. Counted although "
                            "an exception came before them: {}.\n",
                            profile.unknown, profile.left_out);
    text += "\n     time ms   time %              count  count %      ns each  instruction\n";
    for (const OpcodeTotal& total : profile.opcodes) {
        const Row row = row_of(total, profile);
        text += fmt::format(
            "{}{}{}{}{}  {}\n", cell(row.time_ms, 12, 1), cell(row.time_percent, 9, 2),
            profile.is_counted ? fmt::format("{:>19}", total.count) : fmt::format("{:>19}", "-"),
            cell(row.count_percent, 9, 3), cell(row.ns_each, 13, 2), total.mnemonic);
    }
    return text;
}

json opcode_export(ProfileStacks& stacks) {
    const Recording& recording = stacks.recording();
    const OpcodeProfile profile = opcode_profile(recording);
    const auto if_counted = [&](std::uint64_t value) {
        return profile.is_counted ? json(value) : json(nullptr);
    };
    json opcodes = json::array();
    for (const OpcodeTotal& total : profile.opcodes) {
        const Row row = row_of(total, profile);
        opcodes.push_back({{"mnemonic", total.mnemonic},
                           {"samples", total.samples},
                           {"time_ms", or_null(row.time_ms)},
                           {"time_percent", or_null(row.time_percent)},
                           {"count", if_counted(total.count)},
                           {"count_percent", or_null(row.count_percent)},
                           {"ns_each", or_null(row.ns_each)}});
    }
    return {{"opcodes", std::move(opcodes)},
            {"summary",
             {{"mode", mode_of(profile, recording)},
              {"count", if_counted(profile.count)},
              {"count_unknown", if_counted(profile.unknown)},
              {"count_left_out", if_counted(profile.left_out)},
              {"stack_depth", json_of(stack_depth(stacks))},
              {"memory_bytes", json_of(memory_extent(recording))}}}};
}

}  // namespace backplane::profile
