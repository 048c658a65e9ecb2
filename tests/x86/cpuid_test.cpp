// CPU models and what CPUID makes of them (SDM 2 CPUID, APM 3 appendix E).
#include "x86/cpuid.h"

#include <gtest/gtest.h>

#include <cstring>

namespace backplane::x86 {
namespace {

std::string text(std::initializer_list<std::uint32_t> words) {
    std::string result;
    for (const std::uint32_t word : words)
        result.append(reinterpret_cast<const char*>(&word), sizeof word);
    return result.c_str();
}

const CpuModel v1 = *make_cpu_model("x86-64-v1");
const CpuidContext with_apic{.model = v1, .apic_id = 0, .processor_count = 1, .has_apic = true};

TEST(Cpuid, NamesTheVendorWhoseGuestsNeedNoPageTableIsolation) {
    const CpuidResult leaf = cpuid(with_apic, 0, 0);
    EXPECT_EQ(text({leaf.ebx, leaf.edx, leaf.ecx}), "AuthenticAMD");
    EXPECT_EQ(cpuid(with_apic, 0x80000000, 0).ebx, leaf.ebx);
    EXPECT_EQ(cpuid(with_apic, 0x80000000, 0).eax, 0x80000008u);
}

TEST(Cpuid, HasTheSignatureOfTheModel) {
    // Family 15, model 107, stepping 1: extended model 6, base model 11.
    EXPECT_EQ(cpuid(with_apic, 1, 0).eax, 0x00060fb1u);
    CpuModel p6{.name = "p6",
                .summary = "",
                .family = 6,
                .model = 0x3a,
                .stepping = 9,
                .brand = "",
                .features = {}};
    EXPECT_EQ(p6.signature(), 0x000306a9u);
    p6.family = 0x17;
    EXPECT_EQ(p6.signature(), 0x00830fa9u);
}

TEST(Cpuid, ReportsTheBaselineOf64BitSystems) {
    const CpuidResult leaf = cpuid(with_apic, 1, 0);
    constexpr std::uint32_t fpu = 1, cx8 = 1u << 8, cmov = 1u << 15, mmx = 1u << 23,
                            fxsr = 1u << 24, sse = 1u << 25, sse2 = 1u << 26;
    constexpr std::uint32_t baseline = fpu | cx8 | cmov | mmx | fxsr | sse | sse2;
    EXPECT_EQ(leaf.edx & baseline, baseline);
    constexpr std::uint32_t syscall = 1u << 11, nx = 1u << 20, lm = 1u << 29;
    EXPECT_EQ(cpuid(with_apic, 0x80000001, 0).edx & (syscall | nx | lm), syscall | nx | lm);
}

TEST(Cpuid, HidesTheApicThatIsNotThere) {
    const CpuidContext without{.model = v1};
    EXPECT_NE(cpuid(with_apic, 1, 0).edx & 1u << 9, 0u);
    EXPECT_EQ(cpuid(without, 1, 0).edx & 1u << 9, 0u);
    EXPECT_EQ(cpuid(without, 0x80000001, 0).edx & 1u << 9, 0u);
}

TEST(Cpuid, SpellsTheBrand) {
    std::string brand;
    for (std::uint32_t leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
        const CpuidResult r = cpuid(with_apic, leaf, 0);
        char part[17]{};
        std::memcpy(part, &r, 16);
        brand += part;
    }
    EXPECT_EQ(brand, "Backplane x86-64-v1 processor");
}

TEST(Cpuid, GivesAddressSizesAndProcessors) {
    EXPECT_EQ(cpuid(with_apic, 0x80000008, 0).eax, 40u | 48u << 8);
    const CpuidContext third{.model = v1, .apic_id = 2, .processor_count = 4, .has_apic = true};
    EXPECT_EQ(cpuid(third, 0x80000008, 0).ecx, 2u << 12 | 3u);
    EXPECT_EQ(cpuid(third, 1, 0).ebx >> 16, 0x0204u);
    EXPECT_NE(cpuid(third, 1, 0).edx & 1u << 28, 0u);
}

TEST(Cpuid, AnswersZerosElsewhere) {
    for (const std::uint32_t leaf :
         {2u, 3u, 4u, 5u, 7u, 8u, 0xau, 0xbu, 0xdu, 0x3fffffffu, 0x40000001u, 0x80000009u, ~0u})
        EXPECT_EQ(cpuid(with_apic, leaf, 0), CpuidResult{}) << leaf;
}

TEST(FeatureNames, AreUniqueAndFindable) {
    for (const FeatureName& entry : feature_names)
        EXPECT_EQ(feature_named(entry.name), entry.feature) << entry.name;
}

}  // namespace
}  // namespace backplane::x86
