// A recording as what profiler.firefox.com opens: its "processed profile" format, as JSON.
#pragma once

#include "profile/profile_stacks.h"

#include <string>

namespace backplane::profile {

[[nodiscard]] std::string firefox_profile(ProfileStacks& stacks, const std::string& name);

}  // namespace backplane::profile
