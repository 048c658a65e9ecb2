// A recording's figures as JSON, for programs: totals, rolling values, and null for what is not
// known. docs/profile.schema.json says what there is.
#pragma once

#include "profile/profile_stacks.h"

#include <nlohmann/json_fwd.hpp>

#include <cstddef>

namespace backplane::profile {

struct ExportOptions {
    std::size_t functions = 50, hotspots = 50;  // entries of these lists at most
    std::size_t hot_blocks = 256;               // that are told apart
};

[[nodiscard]] nlohmann::json profile_export(ProfileStacks& stacks, const ExportOptions& options);

}  // namespace backplane::profile
