// A recording as a flame graph: one picture that any browser shows, with nothing beside it.
#pragma once

#include "profile/folded_stacks.h"

#include <string>

namespace backplane::profile {

[[nodiscard]] std::string flame_graph_svg(const ProfileStacks& stacks, const FoldedStacks& folded,
                                          const std::string& title);
// The same within a page.
[[nodiscard]] std::string flame_graph_html(const ProfileStacks& stacks, const FoldedStacks& folded,
                                           const std::string& title);

}  // namespace backplane::profile
