// The calls that led to a sample. Where code keeps no frame pointers, all addresses on the stack
// that are behind a call were recorded, also those of calls that are over: the ones that matter
// follow from where each call goes.
#pragma once

#include "profile/recording.h"
#include "profile/symbolizer.h"

#include <cstdint>
#include <vector>

namespace backplane::profile {

// The innermost first: the sample's own address, then return addresses.
[[nodiscard]] std::vector<std::uint64_t> call_chain(const Sample& sample,
                                                    const Symbolizer& symbols);

}  // namespace backplane::profile
