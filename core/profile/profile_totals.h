// What a recording adds up to.
#pragma once

#include "profile/profile_stacks.h"

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <vector>

namespace backplane::profile {

struct FunctionTotal {
    std::size_t function;
    std::uint64_t self = 0, total = 0;  // samples
};

struct ProfileTotals {
    std::uint64_t samples = 0, idle = 0, exact = 0;
    std::array<std::uint64_t, activity_count> by_activity{};
    std::map<unsigned, std::uint64_t> by_tier;  // of those that executed
    std::uint64_t instructions = 0;             // retired between the first and the last sample
    double seconds = 0;                         // of the host between these
    std::vector<FunctionTotal> functions;       // most samples of their own first
};

[[nodiscard]] ProfileTotals profile_totals(ProfileStacks& stacks);

}  // namespace backplane::profile
