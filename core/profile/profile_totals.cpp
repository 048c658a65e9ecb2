#include "profile/profile_totals.h"

#include <algorithm>
#include <limits>
#include <unordered_map>

namespace backplane::profile {
namespace {

struct Span {
    std::uint64_t first = std::numeric_limits<std::uint64_t>::max(), last = 0;

    void add(std::uint64_t value) {
        first = std::min(first, value);
        last = std::max(last, value);
    }
    std::uint64_t length() const { return last > first ? last - first : 0; }
};

}  // namespace

ProfileTotals profile_totals(ProfileStacks& stacks) {
    ProfileTotals totals;
    std::unordered_map<std::size_t, FunctionTotal> functions;
    std::map<unsigned, Span> retired;
    Span time;
    for (const Sample& sample : stacks.recording().samples) {
        totals.samples += sample.weight;
        totals.by_activity[static_cast<std::size_t>(sample.activity)] += sample.weight;
        time.add(sample.host_time);
        if (sample.is_idle()) {
            totals.idle += sample.weight;
            continue;
        }
        retired[sample.cpu].add(sample.instructions);
        if (sample.flags & Sample::exact) totals.exact += sample.weight;
        if (sample.activity <= Activity::CompiledCode) totals.by_tier[sample.tier] += sample.weight;
        const std::vector<Frame> frames = stacks.stack(sample);
        std::set<std::size_t> met;
        for (const Frame& frame : frames) {
            FunctionTotal& total =
                functions.try_emplace(frame.function, frame.function).first->second;
            if (met.insert(frame.function).second) total.total += sample.weight;
        }
        if (!frames.empty()) functions.at(frames.back().function).self += sample.weight;
    }
    for (const auto& [cpu, span] : retired)
        totals.instructions += span.length();
    totals.seconds = static_cast<double>(time.length()) / 1e9;
    for (const auto& [index, total] : functions)
        totals.functions.push_back(total);
    std::ranges::sort(totals.functions, [](const FunctionTotal& a, const FunctionTotal& b) {
        return std::tuple{b.self, b.total, a.function} < std::tuple{a.self, a.total, b.function};
    });
    return totals;
}

}  // namespace backplane::profile
