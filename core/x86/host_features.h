// Which of the guest's instruction sets the processor under us has. Their instructions execute on
// the host's own units, so a host without one cannot offer it to a guest.
#pragma once

#include "x86/cpu_features.h"

namespace backplane::x86 {

// Those of the features that depend on the host and that it has, its operating system's support for
// YMM registers included.
const FeatureSet& host_features();

// Those whose instructions need the host's.
const FeatureSet& host_dependent_features();

}  // namespace backplane::x86
