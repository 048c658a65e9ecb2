// The features CPUID can report, each by its name and its place in a leaf.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::x86 {

// The CPUID registers that are feature masks. A feature's number is word * 32 + bit.
enum class FeatureWord : std::uint8_t {
    Leaf1Edx,
    Leaf1Ecx,
    Leaf7Ebx,
    Leaf80000001Edx,
    Leaf80000001Ecx,
    Leaf80000007Edx,
    Leaf7Ecx,
    LeafDEax,  // of subleaf 1
};
constexpr unsigned feature_word_count = 8;

// clang-format off
enum class Feature : std::uint8_t {
    Fpu = 0, Vme = 1, De = 2, Pse = 3, Tsc = 4, Msr = 5, Pae = 6, Mce = 7, Cx8 = 8, Apic = 9,
    Sep = 11, Mtrr = 12, Pge = 13, Mca = 14, Cmov = 15, Pat = 16, Pse36 = 17, Clfsh = 19, Mmx = 23,
    Fxsr = 24, Sse = 25, Sse2 = 26, SelfSnoop = 27, Htt = 28,
    Sse3 = 32, Pclmulqdq = 33, Monitor = 35, Ssse3 = 41, Fma = 44, Cx16 = 45, Pcid = 49, Sse41 = 51,
    Sse42 = 52, X2apic = 53, Movbe = 54, Popcnt = 55, TscDeadline = 56, Aes = 57, Xsave = 58,
    Osxsave = 59, Avx = 60, F16c = 61, Rdrand = 62, Hypervisor = 63,
    Fsgsbase = 64, TscAdjust = 65, Bmi1 = 67, Avx2 = 69, Smep = 71, Bmi2 = 72, Erms = 73,
    Invpcid = 74, FcsFdsDeprecated = 77, Rdseed = 82, Adx = 83, Smap = 84, Clflushopt = 87,
    Clwb = 88, Sha = 93,
    Syscall = 96 + 11, Nx = 96 + 20, MmxExt = 96 + 22, Pdpe1gb = 96 + 26, Rdtscp = 96 + 27,
    Lm = 96 + 29,
    LahfLm = 128, CmpLegacy = 129, Cr8Legacy = 132, Lzcnt = 133, Sse4a = 134, MisalignedSse = 135,
    Prefetchw = 136, TopologyExtensions = 150,
    InvariantTsc = 160 + 8,
    Umip = 192 + 2, Rdpid = 192 + 22,
    Xsaveopt = 224, Xsavec = 225, Xgetbv1 = 226,
};
// clang-format on

struct FeatureName {
    Feature feature;
    std::string_view name;
};

// As Linux spells them in /proc/cpuinfo, where it has a name.
// clang-format off
inline constexpr std::array feature_names = std::to_array<FeatureName>({
    {Feature::Fpu, "fpu"}, {Feature::Vme, "vme"}, {Feature::De, "de"}, {Feature::Pse, "pse"},
    {Feature::Tsc, "tsc"}, {Feature::Msr, "msr"}, {Feature::Pae, "pae"}, {Feature::Mce, "mce"},
    {Feature::Cx8, "cx8"}, {Feature::Apic, "apic"}, {Feature::Sep, "sep"}, {Feature::Mtrr, "mtrr"},
    {Feature::Pge, "pge"}, {Feature::Mca, "mca"}, {Feature::Cmov, "cmov"}, {Feature::Pat, "pat"},
    {Feature::Pse36, "pse36"}, {Feature::Clfsh, "clflush"}, {Feature::Mmx, "mmx"},
    {Feature::Fxsr, "fxsr"}, {Feature::Sse, "sse"}, {Feature::Sse2, "sse2"},
    {Feature::SelfSnoop, "ss"}, {Feature::Htt, "ht"}, {Feature::Sse3, "sse3"},
    {Feature::Pclmulqdq, "pclmulqdq"}, {Feature::Monitor, "monitor"}, {Feature::Ssse3, "ssse3"},
    {Feature::Fma, "fma"}, {Feature::Cx16, "cx16"}, {Feature::Pcid, "pcid"},
    {Feature::Sse41, "sse4_1"}, {Feature::Sse42, "sse4_2"}, {Feature::X2apic, "x2apic"},
    {Feature::Movbe, "movbe"}, {Feature::Popcnt, "popcnt"},
    {Feature::TscDeadline, "tsc_deadline_timer"}, {Feature::Aes, "aes"}, {Feature::Xsave, "xsave"},
    {Feature::Osxsave, "osxsave"}, {Feature::Avx, "avx"}, {Feature::F16c, "f16c"},
    {Feature::Rdrand, "rdrand"}, {Feature::Hypervisor, "hypervisor"},
    {Feature::Fsgsbase, "fsgsbase"}, {Feature::TscAdjust, "tsc_adjust"}, {Feature::Bmi1, "bmi1"},
    {Feature::Avx2, "avx2"}, {Feature::Smep, "smep"}, {Feature::Bmi2, "bmi2"},
    {Feature::Erms, "erms"}, {Feature::Invpcid, "invpcid"},
    {Feature::FcsFdsDeprecated, "fcs_fds_deprecated"}, {Feature::Rdseed, "rdseed"},
    {Feature::Adx, "adx"}, {Feature::Smap, "smap"}, {Feature::Clflushopt, "clflushopt"},
    {Feature::Clwb, "clwb"}, {Feature::Sha, "sha_ni"}, {Feature::Syscall, "syscall"},
    {Feature::Nx, "nx"}, {Feature::MmxExt, "mmxext"}, {Feature::Pdpe1gb, "pdpe1gb"},
    {Feature::Rdtscp, "rdtscp"}, {Feature::Lm, "lm"}, {Feature::LahfLm, "lahf_lm"},
    {Feature::CmpLegacy, "cmp_legacy"}, {Feature::Cr8Legacy, "cr8_legacy"}, {Feature::Lzcnt, "abm"},
    {Feature::Sse4a, "sse4a"}, {Feature::MisalignedSse, "misalignsse"},
    {Feature::Prefetchw, "3dnowprefetch"}, {Feature::TopologyExtensions, "topoext"},
    {Feature::InvariantTsc, "nonstop_tsc"}, {Feature::Umip, "umip"}, {Feature::Rdpid, "rdpid"},
    {Feature::Xsaveopt, "xsaveopt"}, {Feature::Xsavec, "xsavec"}, {Feature::Xgetbv1, "xgetbv1"},
});
// clang-format on

class FeatureSet {
public:
    constexpr FeatureSet() = default;
    template <std::size_t count>
    constexpr explicit FeatureSet(const Feature (&features)[count]) {
        for (const Feature feature : features)
            add(feature);
    }

    constexpr bool has(Feature feature) const {
        return (words_[word(feature)] >> bit(feature)) & 1;
    }
    constexpr void add(Feature feature) { words_[word(feature)] |= 1u << bit(feature); }
    constexpr void remove(Feature feature) { words_[word(feature)] &= ~(1u << bit(feature)); }
    constexpr std::uint32_t operator[](FeatureWord index) const {
        return words_[static_cast<unsigned>(index)];
    }
    constexpr bool operator==(const FeatureSet&) const = default;

    constexpr bool empty() const { return *this == FeatureSet{}; }

    constexpr FeatureSet with(const FeatureSet& others) const {
        FeatureSet result = *this;
        for (unsigned i = 0; i < feature_word_count; ++i)
            result.words_[i] |= others.words_[i];
        return result;
    }

    constexpr FeatureSet without(const FeatureSet& others) const {
        FeatureSet result = *this;
        for (unsigned i = 0; i < feature_word_count; ++i)
            result.words_[i] &= ~others.words_[i];
        return result;
    }

private:
    static constexpr unsigned word(Feature feature) { return static_cast<unsigned>(feature) / 32; }
    static constexpr unsigned bit(Feature feature) { return static_cast<unsigned>(feature) % 32; }

    std::array<std::uint32_t, feature_word_count> words_{};
};

constexpr std::optional<Feature> feature_named(std::string_view name) {
    for (const FeatureName& entry : feature_names)
        if (entry.name == name) return entry.feature;
    return {};
}

}  // namespace backplane::x86
