// What CPUID answers, computed from the CPU model and the few bits of state that show in it.
#pragma once

#include "x86/cpu_model.h"
#include "x86/cpu_state.h"

#include <cstdint>

namespace backplane::x86 {

struct CpuidResult {
    std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
    bool operator==(const CpuidResult&) const = default;
};

struct CpuidContext {
    const CpuModel& model;
    std::uint32_t apic_id = 0;
    std::uint32_t processor_count = 1;
    bool has_apic = false;  // connected, and enabled in IA32_APIC_BASE
    bool in_64bit_code = false;
    bool osxsave = false;  // CR4.OSXSAVE
    std::uint64_t xcr0 = 1;
};

CpuidResult cpuid(const CpuidContext& context, std::uint32_t leaf, std::uint32_t subleaf);

}  // namespace backplane::x86
