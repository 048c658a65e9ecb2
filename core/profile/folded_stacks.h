// A recording as lines "outermost;...;innermost count", which flame graph programs read.
#pragma once

#include "profile/profile_stacks.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace backplane::profile {

// Samples by the functions of their stacks, the outermost first.
using FoldedStacks = std::map<std::vector<std::size_t>, std::uint64_t>;

enum class IdleSamples : std::uint8_t { Drop, Keep };

[[nodiscard]] FoldedStacks fold(ProfileStacks& stacks, IdleSamples idle);
[[nodiscard]] std::string folded_text(const ProfileStacks& stacks, const FoldedStacks& folded);

}  // namespace backplane::profile
