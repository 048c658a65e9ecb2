// The opcode profile for people: a table of mnemonics with counts, time and time of each, and how
// deep the stack and how much memory went.
#pragma once

#include "profile/profile_stacks.h"

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace backplane::profile {

// What a guest's stack and memory came to. Nothing where it was not recorded.
struct Extent {
    std::optional<std::uint64_t> current, peak;  // at the end, and at most
};
// Frames of calls, of samples that have any.
[[nodiscard]] Extent stack_depth(ProfileStacks& stacks);
// Bytes of the host behind the guest's memory, which grow as the guest touches it.
[[nodiscard]] Extent memory_extent(const Recording& recording);

[[nodiscard]] std::string opcode_report(ProfileStacks& stacks);
// {opcodes: [...], summary: {mode, count, ..., stack_depth, memory_bytes}}.
[[nodiscard]] nlohmann::json opcode_export(ProfileStacks& stacks);

}  // namespace backplane::profile
