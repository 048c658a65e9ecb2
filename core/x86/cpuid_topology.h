// The leaves of CPUID about caches and the place of a processor among others.
#pragma once

#include "x86/cpuid.h"

namespace backplane::x86 {

// Intel's leaves 2 and 4 (SDM 2, CPUID): one-byte descriptors, and the caches one by one.
CpuidResult cache_descriptors(const CpuModel& model);
CpuidResult cache_parameters(const CpuidContext& context, std::uint32_t subleaf);

// Leaf 0BH: how many bits of the APIC ID tell threads and cores apart.
CpuidResult extended_topology(const CpuidContext& context, std::uint32_t subleaf);

// Leaves 80000005H and 80000006H: level 1, level 2 (APM 3 E.4.4, E.4.5).
CpuidResult level1_caches(const CpuModel& model);
CpuidResult level2_caches(const CpuModel& model);

// AMD's leaves 8000001DH and 8000001EH.
CpuidResult amd_cache_parameters(const CpuidContext& context, std::uint32_t subleaf);
CpuidResult amd_topology(const CpuidContext& context);

// The bits of an APIC ID that number the processors of the machine, which are cores of one package.
std::uint32_t core_id_bits(const CpuidContext& context);

}  // namespace backplane::x86
