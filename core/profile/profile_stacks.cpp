#include "profile/profile_stacks.h"

#include "profile/call_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace backplane::profile {

const char* name_of(FrameKind kind) {
    switch (kind) {
    case FrameKind::Idle: return "Idle";
    case FrameKind::Kernel: return "Kernel";
    case FrameKind::User: return "User";
    case FrameKind::Emulator: return "Emulator";
    }
    return "?";
}

ProfileStacks::ProfileStacks(const Recording& recording, const Symbolizer& symbols,
                             std::vector<std::string> modules)
    : recording_{recording}, symbols_{symbols}, modules_{std::move(modules)} {}

std::size_t ProfileStacks::function(Function function) {
    const auto [place, is_new] = by_name_.try_emplace(
        {function.name, function.module, function.kind}, functions_.size());
    if (is_new) functions_.push_back(std::move(function));
    return place->second;
}

std::size_t ProfileStacks::function_at(const Sample& sample, std::uint64_t instruction) {
    const Space space = space_of(sample.privilege);
    const FrameKind kind = space == Space::Kernel ? FrameKind::Kernel : FrameKind::User;
    const Place place = symbols_.find(space, instruction);
    if (place.symbol) return function({place.symbol->name, place.table->module(), kind});
    return function({fmt::format("{:#x}", instruction), "", kind});
}

bool ProfileStacks::is_shown(const Function& function) const {
    if (modules_.empty() || function.kind == FrameKind::Idle ||
        function.kind == FrameKind::Emulator)
        return true;
    return std::ranges::any_of(modules_, [&](const std::string& module) {
        return module == function.module ||
               (module == "kernel" && function.kind == FrameKind::Kernel);
    });
}

std::vector<Frame> ProfileStacks::stack(const Sample& sample) {
    if (sample.is_idle()) return {{function({"[idle]", "", FrameKind::Idle}), 0}};
    std::vector<Frame> frames;
    const std::vector<std::uint64_t> chain = call_chain(sample, symbols_);
    for (std::size_t i = chain.size(); i-- > 0;) {
        const bool is_return_address = i != 0;
        const std::uint64_t instruction = chain[i] - (is_return_address ? 1 : 0);
        const std::size_t index = function_at(sample, instruction);
        if (is_shown(functions_[index])) frames.push_back({index, instruction});
    }
    if (sample.activity > Activity::CompiledCode)
        frames.push_back(
            {function({fmt::format("[{}]", name_of(sample.activity)), "", FrameKind::Emulator}),
             0});
    return frames;
}

}  // namespace backplane::profile
