// The CPU models: what each is called, reports and has (SDM 2 CPUID, APM 3 appendix E).
#include "x86/cpu_model.h"
#include "x86/cpuid.h"
#include "x86/instruction_set.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace backplane::x86 {
namespace {

const CpuModel& listed(std::string_view name) {
    for (const CpuModel& model : cpu_models())
        if (model.name == name) return model;
    throw std::runtime_error{"no such model"};
}

CpuidContext alone(const CpuModel& model) {
    return {.model = model, .has_apic = model.has(Feature::Apic)};
}

// What real processors and QEMU's models of them report, with what is left out on purpose taken
// away.
struct Expected {
    const char* name;
    Vendor vendor;
    std::uint32_t max_basic, max_extended, signature, edx, ecx, extended_edx, extended_ecx;
};

constexpr Expected table[] = {
    // FPU, VME, PSE
    {"486", Vendor::Intel, 1, 0, 0x480, 0x0000000b, 0, 0, 0},
    // all up to FXSR but PSN, CLFLUSH, DS and ACPI; SSE
    {"pentium3", Vendor::Intel, 2, 0, 0x683, 0x0383fbff, 0, 0, 0},
    // besides CLFLUSH and SSE2; SSE3, SSSE3, CX16 and the hypervisor bit; NX and LM outside 64-bit
    // code; LAHF
    {"core2duo", Vendor::Intel, 10, 0x80000008, 0x6fb, 0x078bfbff, 0x80002201, 0x20100000, 1},
};

TEST(CpuModels, ReportWhatTheirProcessorsReport) {
    for (const Expected& expected : table) {
        const CpuModel& model = listed(expected.name);
        const CpuidContext context = alone(model);
        EXPECT_EQ(model.vendor, expected.vendor);
        EXPECT_EQ(cpuid(context, 0, 0).eax, expected.max_basic) << model.name;
        const CpuidResult features = cpuid(context, 1, 0);
        EXPECT_EQ(features.eax, expected.signature) << model.name;
        EXPECT_EQ(features.edx, expected.edx) << model.name << std::hex << features.edx;
        EXPECT_EQ(features.ecx, expected.ecx) << model.name << std::hex << features.ecx;
        if (!expected.max_extended) {
            EXPECT_EQ(cpuid(context, 0x80000000, 0), cpuid(context, expected.max_basic, 0));
            continue;
        }
        EXPECT_EQ(cpuid(context, 0x80000000, 0).eax, expected.max_extended) << model.name;
        EXPECT_EQ(cpuid(context, 0x80000001, 0).edx, expected.extended_edx) << model.name;
        EXPECT_EQ(cpuid(context, 0x80000001, 0).ecx, expected.extended_ecx) << model.name;
    }
}

TEST(CpuModels, HaveTheLevelsOfTheArchitecture) {
    // x86-64 psABI, table 3.1.
    const auto has = [](const char* name, std::initializer_list<Feature> features) {
        for (const Feature feature : features)
            EXPECT_TRUE(listed(name).has(feature)) << name << ' ' << static_cast<int>(feature);
    };
    using enum Feature;
    for (const char* name : {"x86-64-v1", "x86-64-v2", "x86-64-v3"})
        has(name, {Cmov, Cx8, Fpu, Fxsr, Mmx, Sse, Sse2, Syscall, Lm});
    for (const char* name : {"x86-64-v2", "x86-64-v3"})
        has(name, {Cx16, LahfLm, Popcnt, Sse3, Sse41, Sse42, Ssse3});
    has("x86-64-v3", {Avx, Avx2, Bmi1, Bmi2, F16c, Fma, Lzcnt, Movbe, Xsave});
    EXPECT_FALSE(listed("x86-64-v2").has(Avx));
    EXPECT_FALSE(listed("x86-64-v1").has(Sse3));
}

// A model is made with everything it lists, or not at all; and then the error is the way out.
TEST(CpuModels, AreMadeWholeOrRefused) {
    for (const CpuModel& model : cpu_models()) {
        const FeatureSet missing = model.features.without(implemented_features());
        const auto made = make_cpu_model(model.name);
        ASSERT_EQ(made.has_value(), missing.empty()) << model.name;
        if (made) {
            EXPECT_EQ(made->features, model.features);
            continue;
        }
        const std::string& error = made.error();
        const auto first = error.find("as '") + 4;
        const auto reduced = make_cpu_model(error.substr(first, error.size() - 1 - first));
        ASSERT_TRUE(reduced) << error;
        EXPECT_EQ(reduced->features, model.features.without(missing));
    }
}

TEST(CpuModels, TakeFeatureChanges) {
    const auto model = make_cpu_model("x86-64-v1,-nx,-hypervisor,+nx,+umip");
    ASSERT_TRUE(model);
    EXPECT_TRUE(model->has(Feature::Nx));
    EXPECT_TRUE(model->has(Feature::Umip));
    EXPECT_FALSE(model->has(Feature::Hypervisor));
    EXPECT_EQ(cpuid({.model = *model}, 0x40000000, 0), CpuidResult{});
}

TEST(CpuModels, LoseWithAFeatureWhatDependsOnIt) {
    const auto model = make_cpu_model("max,-xsave");
    ASSERT_TRUE(model) << model.error();
    for (const Feature lost : {Feature::Xsave, Feature::Xsaveopt, Feature::Avx, Feature::Avx2,
                               Feature::Fma, Feature::F16c})
        EXPECT_FALSE(model->has(lost)) << static_cast<int>(lost);
    EXPECT_TRUE(model->has(Feature::Sse42));
    const auto refused = make_cpu_model("x86-64-v1,+avx2");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error(), "'+avx2' needs +avx before it");
}

TEST(CpuModels, SayWhatIsWrongAndWhatWouldDo) {
    EXPECT_EQ(make_cpu_model("i8086").error(),
              "no CPU model 'i8086'; there are x86-64-v1, x86-64-v2, x86-64-v3, core2duo, "
              "pentium3, 486, max");
    EXPECT_EQ(make_cpu_model("x86-64-v1,nx").error(),
              "'nx' changes no feature: write +name or -name");
    EXPECT_EQ(make_cpu_model("x86-64-v1,+avx512").error().substr(0, 34),
              "no feature 'avx512'; there are fpu");
    EXPECT_EQ(make_cpu_model("x86-64-v1,+osxsave").error().substr(0, 33),
              "no feature 'osxsave'; there are f")
        << "CR4's to report";
    EXPECT_FALSE(make_cpu_model("x86-64-v1,"));
}

TEST(CpuModels, BringTheLeavesTheirFeaturesNeed) {
    CpuModel model = listed("pentium3");
    const auto last = [&] { return cpuid({.model = model}, 0, 0).eax; };
    EXPECT_EQ(last(), 2u);
    model.features.add(Feature::Monitor);
    EXPECT_EQ(last(), 5u);
    model.features.add(Feature::Umip);
    EXPECT_EQ(last(), 7u);
    model.features.add(Feature::Lm);
    EXPECT_EQ(cpuid({.model = model}, 0x80000000, 0).eax, 0x80000008u);
}

TEST(CpuModels, OfIntelAnswerBeyondTheLastLeafWithTheLastBasicOne) {
    const CpuidContext context = alone(listed("pentium3"));
    EXPECT_EQ(cpuid(context, 3, 0), cpuid(context, 2, 0));
    EXPECT_EQ(cpuid(context, 0x80000001, 0), cpuid(context, 2, 0));
    EXPECT_EQ(cpuid(alone(listed("x86-64-v1")), 0x20, 0), CpuidResult{});
}

TEST(CpuModels, OfIntelReportSyscallIn64BitCodeOnly) {
    constexpr std::uint32_t syscall = 1u << 11;
    CpuidContext context = alone(listed("core2duo"));
    EXPECT_EQ(cpuid(context, 0x80000001, 0).edx & syscall, 0u);
    context.in_64bit_code = true;
    EXPECT_EQ(cpuid(context, 0x80000001, 0).edx & syscall, syscall);
    EXPECT_NE(cpuid(alone(listed("x86-64-v1")), 0x80000001, 0).edx & syscall, 0u);
}

TEST(CpuModels, DescribeTheCachesOfACore2) {
    const CpuModel& model = listed("core2duo");
    const CpuidContext context{.model = model, .processor_count = 2};
    EXPECT_EQ(cpuid(context, 2, 0).eax & 0xff, 1u) << "one round is enough";
    // Type, level, self-initializing; two cores. Lines, ways; sets.
    EXPECT_EQ(cpuid(context, 4, 0), (CpuidResult{0x04000121, 0x01c0003f, 63, 0}));
    EXPECT_EQ(cpuid(context, 4, 1), (CpuidResult{0x04000122, 0x01c0003f, 63, 0}));
    EXPECT_EQ(cpuid(context, 4, 2), (CpuidResult{0x04000143, 0x03c0003f, 4095, 0}));
    EXPECT_EQ(cpuid(context, 4, 3), CpuidResult{});
}

TEST(CpuModels, TellCoresApartByTheirApicId) {
    CpuModel model = listed("x86-64-v3");
    model.features.add(Feature::TopologyExtensions);
    const CpuidContext third{.model = model, .apic_id = 2, .processor_count = 3};
    EXPECT_EQ(cpuid(third, 0xb, 0), (CpuidResult{0, 1, 0x100, 2}));
    EXPECT_EQ(cpuid(third, 0xb, 1), (CpuidResult{2, 3, 0x201, 2}));
    EXPECT_EQ(cpuid(third, 0xb, 2), (CpuidResult{0, 0, 2, 2}));
    EXPECT_EQ(cpuid(third, 0x80000000, 0).eax, 0x8000001eu);
    EXPECT_EQ(cpuid(third, 0x8000001e, 0), (CpuidResult{2, 2, 0, 0}));
    EXPECT_EQ(cpuid(third, 0x8000001d, 0), (CpuidResult{0x121, 0x0040003f, 511, 0}));
    EXPECT_EQ(cpuid(third, 0x8000001d, 3), CpuidResult{});
}

TEST(CpuModels, NameNoWaitingStateDeeperThanHalt) {
    CpuModel model = listed("core2duo");
    model.features.add(Feature::Monitor);
    EXPECT_EQ(cpuid({.model = model}, 5, 0), (CpuidResult{64, 64, 3, 0}));
    EXPECT_EQ(cpuid({.model = listed("core2duo")}, 5, 0), CpuidResult{});
}

}  // namespace
}  // namespace backplane::x86
