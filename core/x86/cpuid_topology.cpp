#include "x86/cpuid_topology.h"

#include <algorithm>
#include <array>
#include <bit>

namespace backplane::x86 {

namespace {

enum class CacheType : std::uint8_t { Data = 1, Instruction = 2, Unified = 3 };

struct Cache {
    CacheType type;
    unsigned level;
    unsigned kibibytes;
    unsigned ways;
    unsigned line;

    unsigned sets() const { return kibibytes * 1024 / (ways * line); }
};

// None is modelled; guests print them and size buffers by them.
constexpr std::array amd_caches = std::to_array<Cache>({
    {CacheType::Data, 1, 64, 2, 64},
    {CacheType::Instruction, 1, 64, 2, 64},
    {CacheType::Unified, 2, 512, 16, 64},
});
constexpr std::array core2_caches = std::to_array<Cache>({
    {CacheType::Data, 1, 32, 8, 64},
    {CacheType::Instruction, 1, 32, 8, 64},
    {CacheType::Unified, 2, 4096, 16, 64},
});

constexpr unsigned core2_family_model = 15;

bool is_core2(const CpuModel& model) {
    return model.vendor == Vendor::Intel && model.family == 6 && model.model >= core2_family_model;
}

// The layout of SDM 2, CPUID leaf 4, which APM 3 E.4.17 shares; zeros end the list. Each processor
// has its own caches.
template <std::size_t count>
CpuidResult described(const std::array<Cache, count>& caches, std::uint32_t subleaf) {
    if (subleaf >= count) return {};
    const Cache& cache = caches[subleaf];
    constexpr std::uint32_t self_initializing = 1u << 8;
    return {.eax = static_cast<std::uint32_t>(cache.type) | cache.level << 5 | self_initializing,
            .ebx = (cache.line - 1) | (cache.ways - 1) << 22,
            .ecx = cache.sets() - 1,
            .edx = 0};
}

}  // namespace

std::uint32_t core_id_bits(const CpuidContext& context) {
    return static_cast<std::uint32_t>(std::bit_width(context.processor_count - 1));
}

CpuidResult cache_descriptors(const CpuModel& model) {
    if (model.vendor != Vendor::Intel) return {};
    // As the processors say: TLBs, prefetching, and the caches of leaf 4.
    if (is_core2(model)) return {.eax = 0x05b0b101, .ebx = 0x005657f0, .ecx = 0, .edx = 0x2cb43049};
    // Of the second generation of the Pentium III: 16 KiB each of level 1, 256 KiB of level 2.
    return {.eax = 0x03020101, .ebx = 0, .ecx = 0, .edx = 0x0c040882};
}

CpuidResult cache_parameters(const CpuidContext& context, std::uint32_t subleaf) {
    if (context.model.vendor != Vendor::Intel) return {};
    CpuidResult result = described(core2_caches, subleaf);
    constexpr std::uint32_t most_cores = 63;
    if (result.eax) result.eax |= std::min(context.processor_count - 1, most_cores) << 26;
    return result;
}

CpuidResult extended_topology(const CpuidContext& context, std::uint32_t subleaf) {
    enum Level : std::uint32_t { None, Thread, Core };
    CpuidResult result{.ecx = subleaf & 0xff, .edx = context.apic_id};
    if (subleaf == 0) {
        result.ebx = 1;
        result.ecx |= Thread << 8;
    } else if (subleaf == 1) {
        result.eax = core_id_bits(context);
        result.ebx = context.processor_count;
        result.ecx |= Core << 8;
    }
    return result;
}

CpuidResult level1_caches(const CpuModel& model) {
    if (model.vendor == Vendor::Intel) return {};
    return {.eax = 0x01ff01ff, .ebx = 0x01ff01ff, .ecx = 0x40020140, .edx = 0x40020140};
}

// Intel processors have ECX alone, with the associativity in the same code: 8 is sixteen ways.
CpuidResult level2_caches(const CpuModel& model) {
    if (model.vendor == Vendor::Intel) return {.ecx = 4096u << 16 | 8u << 12 | 64};
    return {.eax = 0, .ebx = 0x42004200, .ecx = 0x02008140, .edx = 0};
}

CpuidResult amd_cache_parameters(const CpuidContext& context, std::uint32_t subleaf) {
    if (!context.model.has(Feature::TopologyExtensions)) return {};
    return described(amd_caches, subleaf);
}

// APM 3 E.4.16: every core is a compute unit of its own, all are in node 0 of 1.
CpuidResult amd_topology(const CpuidContext& context) {
    if (!context.model.has(Feature::TopologyExtensions)) return {};
    return {.eax = context.apic_id, .ebx = context.apic_id & 0xff, .ecx = 0, .edx = 0};
}

}  // namespace backplane::x86
