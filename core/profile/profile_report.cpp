#include "profile/profile_report.h"

#include "profile/code_listing.h"
#include "profile/opcode_profile.h"
#include "profile/profile_totals.h"
#include "profile/statistics_history.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::profile {
namespace {

double percent(std::uint64_t part, std::uint64_t whole) {
    return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

std::string overview(const Recording& recording, const ProfileTotals& totals) {
    const Settings& settings = recording.settings;
    std::string text = settings.instructions != 0
                           ? fmt::format("A sample every {} instructions", settings.instructions)
                           : fmt::format("{} samples a second", settings.frequency);
    text += fmt::format(" of {} processor{} for {:.3f} s: {} samples, {} of them idle; {:.1f} % of "
                        "the others name the very instruction.\n",
                        settings.cpus, settings.cpus == 1 ? "" : "s", totals.seconds,
                        totals.samples, totals.idle,
                        percent(totals.exact, totals.samples - totals.idle));
    if (totals.seconds > 0)
        text += fmt::format("{} instructions retired: {:.1f} million a second.\n",
                            totals.instructions,
                            static_cast<double>(totals.instructions) / totals.seconds / 1e6);
    if (!recording.is_complete)
        text += fmt::format(
            "The recording ends early{}.\n",
            recording.torn != 0
                ? fmt::format(", within a record of which {} bytes are there", recording.torn)
                : "");
    if (const auto jit = jit_metrics(recording.statistics))
        text += fmt::format("{}.\n", jit->line());
    if (recording.lost != 0)
        text += fmt::format("{} samples could not be written.\n", recording.lost);
    if (recording.lost_markers != 0)
        text += fmt::format("{} markers are not in the recording.\n", recording.lost_markers);
    return text;
}

std::string time_split(const ProfileTotals& totals) {
    std::string text = "\nWhere the host's time goes\n";
    const std::uint64_t busy = totals.samples - totals.idle;
    for (std::size_t i = 1; i < activity_count; ++i) {
        if (totals.by_activity[i] == 0) continue;
        text += fmt::format("  {:>6.1f} %  {}\n", percent(totals.by_activity[i], busy),
                            name_of(static_cast<Activity>(i)));
    }
    if (totals.by_tier.size() > 1)
        for (const auto& [tier, samples] : totals.by_tier)
            text += fmt::format("  {:>6.1f} %  executing in tier {}\n", percent(samples, busy),
                                tier);
    return text;
}

std::string opcodes(const Recording& recording, std::size_t most) {
    const OpcodeProfile profile = opcode_profile(recording);
    std::string text = "\nInstructions, as far as samples name them\n";
    for (std::size_t i = 0; i < std::min(most, profile.opcodes.size()); ++i) {
        const OpcodeTotal& total = profile.opcodes[i];
        if (total.samples == 0) break;
        text += fmt::format("  {:>6.1f} %  {:>7}  {}\n", percent(total.samples, profile.samples),
                            total.samples, total.mnemonic);
    }
    return text;
}

std::string name_with_module(const Function& function) {
    if (function.module.empty()) return function.name;
    return fmt::format("{}  [{}]", function.name, function.module);
}

}  // namespace

std::string profile_report(ProfileStacks& stacks, const Symbolizer& symbols,
                           const ReportOptions& options) {
    const Recording& recording = stacks.recording();
    const ProfileTotals totals = profile_totals(stacks);
    const std::uint64_t busy = totals.samples - totals.idle;
    std::string text = overview(recording, totals) + time_split(totals);
    text += "\nFunctions\n    self   total  samples  function\n";
    for (std::size_t i = 0; i < std::min(options.functions, totals.functions.size()); ++i) {
        const FunctionTotal& total = totals.functions[i];
        text += fmt::format("  {:>4.1f} %  {:>4.1f} %  {:>7}  {}\n", percent(total.self, busy),
                            percent(total.total, busy), total.self,
                            name_with_module(stacks.functions()[total.function]));
    }
    text += opcodes(recording, options.opcodes);
    const CodeListing listing{recording, symbols};
    std::size_t shown = 0;
    for (const FunctionTotal& total : totals.functions) {
        const Function& function = stacks.functions()[total.function];
        const bool is_guest = function.kind == FrameKind::Kernel ||
                              function.kind == FrameKind::User;
        if (!is_guest) continue;
        if (shown++ == options.code || total.self == 0) break;
        const Space space = function.kind == FrameKind::Kernel ? Space::Kernel : Space::User;
        const auto sample = std::ranges::find_if(recording.samples, [&](const Sample& each) {
            if (each.is_idle() || space_of(each.privilege) != space) return false;
            const Place place = symbols.find(space, each.pc);
            return place.symbol ? place.symbol->name == function.name
                                : fmt::format("{:#x}", each.pc) == function.name;
        });
        if (sample == recording.samples.end()) continue;
        text += fmt::format("\n{}, {} samples\n{}", name_with_module(function), total.self,
                            listing.of_function(space, sample->pc));
    }
    return text;
}

}  // namespace backplane::profile
