#include "profile/folded_stacks.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::profile {

FoldedStacks fold(ProfileStacks& stacks, IdleSamples idle) {
    FoldedStacks folded;
    for (const Sample& sample : stacks.recording().samples) {
        if (sample.is_idle() && idle == IdleSamples::Drop) continue;
        std::vector<std::size_t> functions;
        for (const Frame& frame : stacks.stack(sample))
            functions.push_back(frame.function);
        if (!functions.empty()) folded[functions] += sample.weight;
    }
    return folded;
}

std::string folded_text(const ProfileStacks& stacks, const FoldedStacks& folded) {
    std::vector<std::string> lines;
    for (const auto& [functions, count] : folded) {
        std::string line;
        for (const std::size_t function : functions) {
            std::string name = stacks.functions()[function].name;
            // What separates frames cannot be part of one.
            std::ranges::replace(name, ';', ':');
            std::ranges::replace(name, '\n', ' ');
            line += (line.empty() ? "" : ";") + name;
        }
        lines.push_back(fmt::format("{} {}\n", line, count));
    }
    std::ranges::sort(lines);
    std::string text;
    for (const std::string& line : lines)
        text += line;
    return text;
}

}  // namespace backplane::profile
