#include "x86/host_features.h"

#include <cpuid.h>

namespace backplane::x86 {

namespace {

using enum Feature;

// XCR0 bits 1 and 2: the system saves XMM and YMM registers (SDM 1 14.3).
bool saves_ymm_registers() {
    std::uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & 6) == 6;
}

FeatureSet ask_host() {
    unsigned leaf1_ecx = 0, leaf7_ebx = 0, unused = 0;
    __get_cpuid(1, &unused, &unused, &leaf1_ecx, &unused);
    __get_cpuid_count(7, 0, &unused, &leaf7_ebx, &unused, &unused);
    FeatureSet features;
    for (const FeatureName& entry : feature_names) {
        const auto number = static_cast<unsigned>(entry.feature);
        const auto word = static_cast<FeatureWord>(number / 32);
        const unsigned mask = word == FeatureWord::Leaf1Ecx   ? leaf1_ecx
                              : word == FeatureWord::Leaf7Ebx ? leaf7_ebx
                                                              : 0;
        if (mask >> number % 32 & 1) features.add(entry.feature);
    }
    if (!features.has(Osxsave) || !saves_ymm_registers())
        for (const Feature feature : {Avx, Avx2, Fma, F16c})
            features.remove(feature);
    return features;
}

}  // namespace

const FeatureSet& host_features() {
    static const FeatureSet features = ask_host();
    return features;
}

bool has_fast_pext() {
    static const bool is_fast = [] {
        if (!host_features().has(Bmi2)) return false;
        unsigned vendor = 0, version = 0, unused = 0;
        __get_cpuid(0, &unused, &vendor, &unused, &unused);
        __get_cpuid(1, &version, &unused, &unused, &unused);
        const unsigned base = version >> 8 & 15;
        const unsigned family = base == 15 ? base + (version >> 20 & 0xff) : base;
        const bool is_amd = vendor == signature_AMD_ebx || vendor == signature_HYGON_ebx;
        return !is_amd || family >= 0x19;
    }();
    return is_fast;
}

// Of AVX only the comparisons are the host's, and of AVX2 none.
const FeatureSet& host_dependent_features() {
    static constexpr FeatureSet features{{Sse3, Ssse3, Sse41, Aes, Pclmulqdq, Sha, Avx, Fma, F16c}};
    return features;
}

}  // namespace backplane::x86
