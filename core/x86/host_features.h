// Which of the guest's instruction sets the processor under us has. Some of their instructions
// execute on the host's own units, so a host without one cannot offer it to a guest.
#pragma once

#include "x86/cpu_features.h"

namespace backplane::x86 {

// Those of CPUID leaf 1 ECX and leaf 7 EBX that the host has, and that its operating system saves
// the registers of.
const FeatureSet& host_features();

// Features that are executed by the host's instructions. All others are computed.
const FeatureSet& host_dependent_features();

// PEXT and PDEP are not microcode, as they are in AMD's processors before family 19h.
bool has_fast_pext();

}  // namespace backplane::x86
