// "Did you mean ...?": the known names closest to one that is not known.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime {

// At most three, closest first; empty when nothing is close enough to be a slip of the fingers.
std::vector<std::string> nearest_names(std::string_view wanted, std::span<const std::string> known);

// "did you mean 'pit'?", "did you mean 'pit' or 'pic'?", or "" for none.
std::string did_you_mean(std::string_view wanted, std::span<const std::string> known);

}  // namespace backplane::runtime
