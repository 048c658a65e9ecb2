// Samples by what instruction was being executed, the most frequent first.
#pragma once

#include "profile/recording.h"

#include <cstdint>
#include <string>
#include <vector>

namespace backplane::profile {

struct OpcodeTotal {
    std::string mnemonic;
    std::uint64_t samples;
};

// Of samples of the very instruction, whose code was recorded.
[[nodiscard]] std::vector<OpcodeTotal> opcode_profile(const Recording& recording);

}  // namespace backplane::profile
