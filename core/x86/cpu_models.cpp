#include "x86/cpu_model.h"

#include <array>

namespace backplane::x86 {

namespace {

using enum Feature;

// HTT and CmpLegacy follow from the number of processors and OSXSAVE from CR4, see cpuid.cpp.

constexpr FeatureSet i486{{Fpu, Vme, Pse}};

constexpr FeatureSet pentium3{{Fpu, Vme,  De,  Pse, Tsc,  Msr, Pae,   Mce, Cx8,  Apic,
                               Sep, Mtrr, Pge, Mca, Cmov, Pat, Pse36, Mmx, Fxsr, Sse}};

// The features of all 64-bit processors that Linux and Windows look for.
constexpr FeatureSet x86_64_v1{
    {Fpu,  De,   Pse,        Tsc,     Msr, Pae,     Mce,    Cx8, Apic,   Sep,
     Mtrr, Pge,  Mca,        Cmov,    Pat, Pse36,   Clfsh,  Mmx, Fxsr,   Sse,
     Sse2, Cx16, Hypervisor, Syscall, Nx,  Pdpe1gb, Rdtscp, Lm,  LahfLm, InvariantTsc}};

// The levels of the x86-64 psABI (3.1.1). Level 3 has besides what all its processors share, from
// Haswell and the first Zen on, and programs choose their fast ways by.
constexpr FeatureSet x86_64_v2 = x86_64_v1.with(FeatureSet{{Sse3, Ssse3, Sse41, Sse42, Popcnt}});
constexpr FeatureSet x86_64_v3 = x86_64_v2.with(
    FeatureSet{{Avx, Avx2, Bmi1, Bmi2, F16c, Fma, Lzcnt, Movbe, Xsave, Xsaveopt, Aes, Pclmulqdq,
                Rdrand, Fsgsbase, Smep}});

// Without MONITOR: an idle Linux would wait by MWAIT, which does not give the host its time back.
constexpr FeatureSet core2duo = pentium3.with(FeatureSet{
    {Clfsh, Sse2, Sse3, Ssse3, Cx16, Syscall, Nx, Lm, LahfLm, Hypervisor, InvariantTsc}});

// As of QEMU's qemu64, whose age no guest takes for a reason to work around anything. The vendor
// spares guests the page-table isolation of processors with Meltdown.
CpuModel generic(const std::string& name, std::string summary, const FeatureSet& features) {
    return {.name = name,
            .summary = std::move(summary),
            .vendor = Vendor::Amd,
            .family = 15,
            .model = 107,
            .stepping = 1,
            .brand = "Backplane " + name + " processor",
            .features = features,
            .max_basic_leaf = 7,
            .max_extended_leaf = 0x80000008};
}

// Features that take something away from a processor.
constexpr FeatureSet takes_away{{FcsFdsDeprecated}};

}  // namespace

std::span<const CpuModel> cpu_models() {
    static const std::array models = std::to_array<CpuModel>({
        generic("x86-64-v1", "64-bit baseline: SSE2, no-execute, 1 GiB pages", x86_64_v1),
        generic("x86-64-v2", "64-bit with SSE4.2 and POPCNT, as since 2009", x86_64_v2),
        generic("x86-64-v3", "64-bit with AVX2, BMI and FMA, as since 2013", x86_64_v3),
        {.name = "core2duo",
         .summary = "Intel Core 2 Duo of 2007: 64-bit, SSSE3",
         .vendor = Vendor::Intel,
         .family = 6,
         .model = 15,
         .stepping = 11,
         .brand = "Backplane core2duo processor",
         .features = core2duo,
         .physical_address_bits = 36,
         .max_basic_leaf = 10,
         .max_extended_leaf = 0x80000008},
        {.name = "pentium3",
         .summary = "Intel Pentium III of 1999: 32-bit, SSE",
         .vendor = Vendor::Intel,
         .family = 6,
         .model = 8,
         .stepping = 3,
         .brand = "",
         .features = pentium3,
         .physical_address_bits = 36,
         .linear_address_bits = 32,
         .max_basic_leaf = 2},
        // Of the last steppings, which have CPUID.
        {.name = "486",
         .summary = "Intel 486DX4 of 1994: 32-bit, x87",
         .vendor = Vendor::Intel,
         .family = 4,
         .model = 8,
         .stepping = 0,
         .brand = "",
         .features = i486,
         .physical_address_bits = 32,
         .linear_address_bits = 32},
        generic("max", "Everything that is executed on this host",
                implemented_features().without(takes_away)),
    });
    return models;
}

}  // namespace backplane::x86
