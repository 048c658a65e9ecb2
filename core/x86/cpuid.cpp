#include "x86/cpuid.h"

#include "x86/cpuid_topology.h"
#include "x86/xsave_area.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace backplane::x86 {

namespace {

constexpr std::uint32_t hypervisor_leaf = 0x40000000;
constexpr std::uint32_t extended_leaf = 0x80000000;

// A feature that needs a leaf beyond the model's brings it along.
std::uint32_t max_basic_leaf(const CpuModel& model) {
    const bool structured = (model.features[FeatureWord::Leaf7Ebx] |
                             model.features[FeatureWord::Leaf7Ecx]) != 0;
    std::uint32_t leaf = model.max_basic_leaf;
    if (structured) leaf = std::max(leaf, 7u);
    if (model.has(Feature::Monitor)) leaf = std::max(leaf, 5u);
    if (model.has(Feature::Xsave)) leaf = std::max(leaf, 0xdu);
    return leaf;
}

std::uint32_t max_extended_leaf(const CpuModel& model) {
    const bool extended = (model.features[FeatureWord::Leaf80000001Edx] |
                           model.features[FeatureWord::Leaf80000001Ecx] |
                           model.features[FeatureWord::Leaf80000007Edx]) != 0;
    std::uint32_t leaf = model.max_extended_leaf;
    if (extended) leaf = std::max(leaf, 0x80000008u);
    if (model.has(Feature::TopologyExtensions)) leaf = std::max(leaf, 0x8000001eu);
    return leaf;
}

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
    if (!context.has_apic)
        for (const Feature feature : {Feature::Apic, Feature::X2apic, Feature::TscDeadline})
            features.remove(feature);
    if (context.processor_count > 1) features.add(Feature::Htt);
    if (context.osxsave) features.add(Feature::Osxsave);
    const std::uint32_t clflush_quadwords = features.has(Feature::Clfsh) ? 8 : 0;
    return {.eax = context.model.signature(),
            .ebx = clflush_quadwords << 8 | std::min(context.processor_count, 255u) << 16 |
                   context.apic_id << 24,
            .ecx = features[FeatureWord::Leaf1Ecx],
            .edx = features[FeatureWord::Leaf1Edx]};
}

// APM 3 E.4.2: EDX repeats most of leaf 1's on AMD processors; on Intel's it has only its own bits.
CpuidResult extended_feature_leaf(const CpuidContext& context) {
    FeatureSet features = context.model.features;
    // SDM 2, SYSCALL: not there outside 64-bit code, and not reported there either.
    if (context.model.vendor == Vendor::Intel && !context.in_64bit_code)
        features.remove(Feature::Syscall);
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

// SDM 3A 8.10.4: the line that MONITOR watches; extensions are told by this leaf, and MWAIT may be
// broken by interrupts while IF is clear. No sub-state is named, so Linux idles by HLT.
CpuidResult monitor_leaf(const CpuModel& model) {
    if (!model.has(Feature::Monitor)) return {};
    constexpr std::uint32_t line = 64, extensions = 1u << 0, interrupts_break = 1u << 1;
    return {.eax = line, .ebx = line, .ecx = extensions | interrupts_break, .edx = 0};
}

// The local APIC's timer never stops.
CpuidResult power_leaf(const CpuidContext& context) {
    constexpr std::uint32_t always_running_timer = 1u << 2;
    return {.eax = context.has_apic ? always_running_timer : 0};
}

CpuidResult structured_features(const CpuModel& model, std::uint32_t subleaf) {
    if (subleaf != 0) return {};
    return {.ebx = model.features[FeatureWord::Leaf7Ebx],
            .ecx = model.features[FeatureWord::Leaf7Ecx]};
}

CpuidResult address_sizes(const CpuidContext& context) {
    const CpuModel& model = context.model;
    const bool is_amd = model.vendor == Vendor::Amd;
    return {.eax = model.physical_address_bits | model.linear_address_bits << 8,
            .ecx = is_amd ? (context.processor_count - 1) | core_id_bits(context) << 12 : 0};
}

CpuidResult extended(const CpuidContext& context, std::uint32_t leaf, std::uint32_t subleaf) {
    const CpuModel& model = context.model;
    switch (leaf) {
    case 0x80000000: {
        // APM 3 E.4.1: the vendor is repeated; SDM 2: these registers are reserved.
        const std::uint32_t max = max_extended_leaf(model);
        return model.vendor == Vendor::Amd ? with_vendor(max, model.vendor) : CpuidResult{max};
    }
    case 0x80000001: return extended_feature_leaf(context);
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: return brand_leaf(model, leaf);
    case 0x80000005: return level1_caches(model);
    case 0x80000006: return level2_caches(model);
    case 0x80000007: return {.edx = model.features[FeatureWord::Leaf80000007Edx]};
    case 0x80000008: return address_sizes(context);
    case 0x8000001d: return amd_cache_parameters(context, subleaf);
    case 0x8000001e: return amd_topology(context);
    default: return {};
    }
}

CpuidResult hypervisor() {
    constexpr std::string_view text = "Backplane PC";
    return {.eax = hypervisor_leaf,
            .ebx = word_at(text, 0),
            .ecx = word_at(text, 4),
            .edx = word_at(text, 8)};
}

// SDM 2, CPUID leaf 0DH: what XCR0 may enable, how much room that takes, and where its parts are.
CpuidResult extended_state(const CpuidContext& context, std::uint32_t subleaf) {
    if (!context.model.has(Feature::Xsave)) return {};
    const std::uint64_t supported = xsave::supported(context.model);
    const std::uint32_t enabled_size = xsave::area_size(context.xcr0);
    if (subleaf == 0)
        return {.eax = static_cast<std::uint32_t>(supported),
                .ebx = enabled_size,
                .ecx = xsave::area_size(supported)};
    if (subleaf == 1)
        return {.eax = context.model.features[FeatureWord::LeafDEax],
                .ebx = context.model.has(Feature::Xsavec) ? enabled_size : 0};
    if (subleaf == 2 && (supported & xsave::avx))
        return {.eax = static_cast<std::uint32_t>(xsave::avx_size),
                .ebx = static_cast<std::uint32_t>(xsave::avx_offset)};
    return {};
}

CpuidResult basic(const CpuidContext& context, std::uint32_t leaf, std::uint32_t subleaf) {
    switch (leaf) {
    case 0: return with_vendor(max_basic_leaf(context.model), context.model.vendor);
    case 1: return feature_leaf(context);
    case 2: return cache_descriptors(context.model);
    case 4: return cache_parameters(context, subleaf);
    case 5: return monitor_leaf(context.model);
    case 6: return power_leaf(context);
    case 7: return structured_features(context.model, subleaf);
    case 0xb: return extended_topology(context, subleaf);
    case 0xd: return extended_state(context, subleaf);
    default: return {};
    }
}

}  // namespace

// Beyond the last leaf AMD processors answer zeros (APM 3, CPUID) and Intel's what the last basic
// leaf answers (SDM 2, CPUID).
CpuidResult cpuid(const CpuidContext& context, std::uint32_t leaf, std::uint32_t subleaf) {
    const CpuModel& model = context.model;
    const std::uint32_t last_basic = max_basic_leaf(model);
    if (leaf == hypervisor_leaf && model.has(Feature::Hypervisor)) return hypervisor();
    if (leaf <= last_basic) return basic(context, leaf, subleaf);
    if (leaf >= extended_leaf && leaf <= max_extended_leaf(model))
        return extended(context, leaf, subleaf);
    return model.vendor == Vendor::Intel ? basic(context, last_basic, subleaf) : CpuidResult{};
}

}  // namespace backplane::x86
