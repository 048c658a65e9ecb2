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

// Whether `feature`, a bit of leaf 1 ECX or leaf 7 EBX, is set.
class HostLeaves {
public:
    HostLeaves() {
        unsigned unused;
        __get_cpuid(1, &unused, &unused, &leaf1_ecx_, &unused);
        __get_cpuid_count(7, 0, &unused, &leaf7_ebx_, &unused, &unused);
        constexpr unsigned osxsave = 1u << 27;
        has_ymm_ = (leaf1_ecx_ & osxsave) && saves_ymm_registers();
    }

    bool has(Feature feature) const {
        const auto number = static_cast<unsigned>(feature);
        const unsigned mask = number / 32 == static_cast<unsigned>(FeatureWord::Leaf1Ecx)
                                  ? leaf1_ecx_
                                  : leaf7_ebx_;
        const bool needs_ymm = feature == Avx || feature == Fma || feature == F16c ||
                               feature == Avx2;
        return (mask >> number % 32 & 1) && (has_ymm_ || !needs_ymm);
    }

private:
    unsigned leaf1_ecx_ = 0, leaf7_ebx_ = 0;
    bool has_ymm_ = false;
};

constexpr FeatureSet dependent{{Avx, Avx2, Fma, F16c}};

}  // namespace

const FeatureSet& host_dependent_features() {
    static constexpr FeatureSet features = dependent;
    return features;
}

const FeatureSet& host_features() {
    static const FeatureSet found = [] {
        FeatureSet features;
        const HostLeaves leaves;
        for (const FeatureName& entry : feature_names)
            if (dependent.has(entry.feature) && leaves.has(entry.feature))
                features.add(entry.feature);
        return features;
    }();
    return found;
}

}  // namespace backplane::x86
