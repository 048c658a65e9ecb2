#include "x86/cpuid.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace backplane::x86 {

namespace {

constexpr std::uint32_t max_basic_leaf = 7;
constexpr std::uint32_t hypervisor_leaf = 0x40000000;
constexpr std::uint32_t extended_leaf = 0x80000000, max_extended_leaf = 0x80000008;

std::uint32_t word_at(std::string_view text, std::size_t offset) {
    char bytes[4]{};
    if (offset < text.size()) text.copy(bytes, sizeof bytes, offset);
    return std::bit_cast<std::uint32_t>(bytes);
}

// The twelve characters go to EBX, EDX, ECX in that order (SDM 2, CPUID leaf 0).
CpuidResult with_vendor(std::uint32_t max_leaf, Vendor vendor) {
    const std::string_view text = vendor == Vendor::Amd ? "AuthenticAMD" : "GenuineIntel";
    return {
        .eax = max_leaf, .ebx = word_at(text, 0), .ecx = word_at(text, 8), .edx = word_at(text, 4)};
}

CpuidResult feature_leaf(const CpuidContext& context) {
    FeatureSet features = context.model.features;
    if (!context.has_apic) features.remove(Feature::Apic);
    if (context.processor_count > 1) features.add(Feature::Htt);
    constexpr std::uint32_t clflush_quadwords = 8;
    return {.eax = context.model.signature(),
            .ebx = clflush_quadwords << 8 | std::min(context.processor_count, 255u) << 16 |
                   context.apic_id << 24,
            .ecx = features[FeatureWord::Leaf1Ecx],
            .edx = features[FeatureWord::Leaf1Edx]};
}

// APM 3 E.4.2: EDX repeats most of leaf 1's on AMD processors; on Intel's it has only its own bits.
CpuidResult extended_feature_leaf(const CpuidContext& context) {
    FeatureSet features = context.model.features;
    std::uint32_t repeated = 0;
    if (context.model.vendor == Vendor::Amd) {
        if (!context.has_apic) features.remove(Feature::Apic);
        if (context.processor_count > 1) features.add(Feature::CmpLegacy);
        repeated = features[FeatureWord::Leaf1Edx] & 0x0183f3ff;
    }
    return {.eax = context.model.vendor == Vendor::Amd ? context.model.signature() : 0,
            .ecx = features[FeatureWord::Leaf80000001Ecx],
            .edx = features[FeatureWord::Leaf80000001Edx] | repeated};
}

CpuidResult brand_leaf(const CpuModel& model, std::uint32_t leaf) {
    const std::size_t offset = (leaf - 0x80000002) * 16;
    return {.eax = word_at(model.brand, offset),
            .ebx = word_at(model.brand, offset + 4),
            .ecx = word_at(model.brand, offset + 8),
            .edx = word_at(model.brand, offset + 12)};
}

CpuidResult extended(const CpuidContext& context, std::uint32_t leaf) {
    const CpuModel& model = context.model;
    switch (leaf) {
    case 0x80000000: return with_vendor(max_extended_leaf, model.vendor);
    case 0x80000001: return extended_feature_leaf(context);
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return brand_leaf(model, leaf);
    // APM 3 E.4.5, E.4.6: what guests print and size buffers by; 64 KiB two-way level 1, 512 KiB
    // sixteen-way level 2.
    case 0x80000005:
        return {.eax = 0x01ff01ff, .ebx = 0x01ff01ff, .ecx = 0x40020140, .edx = 0x40020140};
    case 0x80000006: return {.eax = 0, .ebx = 0x42004200, .ecx = 0x02008140, .edx = 0};
    case 0x80000007: return {.edx = model.features[FeatureWord::Leaf80000007Edx]};
    case 0x80000008:
        return {.eax = model.physical_address_bits | model.linear_address_bits << 8,
                .ecx = model.vendor == Vendor::Amd ? context.processor_count - 1 : 0};
    default: return {};
    }
}

CpuidResult hypervisor(const CpuidContext& context) {
    if (!context.model.has(Feature::Hypervisor)) return {};
    constexpr std::string_view text = "Backplane PC";
    return {.eax = hypervisor_leaf,
            .ebx = word_at(text, 0),
            .ecx = word_at(text, 4),
            .edx = word_at(text, 8)};
}

}  // namespace

// Leaves beyond the maxima answer zeros, as AMD processors do (APM 3, CPUID).
CpuidResult cpuid(const CpuidContext& context, std::uint32_t leaf, std::uint32_t subleaf) {
    if (leaf >= extended_leaf) return extended(context, leaf);
    if (leaf == hypervisor_leaf) return hypervisor(context);
    switch (leaf) {
    case 0: return with_vendor(max_basic_leaf, context.model.vendor);
    case 1: return feature_leaf(context);
    case 7:
        return subleaf == 0 ? CpuidResult{.ebx = context.model.features[FeatureWord::Leaf7Ebx]}
                            : CpuidResult{};
    default: return {};
    }
}

}  // namespace backplane::x86
