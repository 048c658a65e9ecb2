// The guest's instructions by what they are: how often each was executed, where blocks were
// counted, and how much time went to it, as far as samples name the very instruction.
#pragma once

#include "profile/recording.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace backplane::profile {

struct OpcodeTotal {
    std::string mnemonic;
    std::uint64_t samples = 0;
    std::uint64_t count = 0;  // times executed
};

struct OpcodeProfile {
    std::vector<OpcodeTotal> opcodes;  // most time first, and by count where that is the same
    std::uint64_t samples = 0, count = 0;
    // Not among them: instructions whose code was not recorded, or is another by now.
    std::uint64_t unknown = 0;
    // Among them although not executed: an exception or interrupt came in front of them.
    std::uint64_t left_out = 0;
    bool is_counted = false;  // blocks were

    // Nothing where samples were not taken by time, or so rarely that they only take counters
    // along.
    std::optional<double> milliseconds_per_sample;
};

[[nodiscard]] OpcodeProfile opcode_profile(const Recording& recording);

}  // namespace backplane::profile
