#include "ram.h"

namespace backplane::chipset {

using namespace literals;

constexpr std::uint64_t page = 4096;

void Ram::declare(Declaration<Ram>& d) {
    d.type("chipset.ram", "Guest memory, committed by the host as the guest touches it");
    d.property("size", &Ram::size_, "All of the memory, a multiple of 4 KiB")
        .range(1_MiB, Bytes{1ull << 46});
    d.property("low-limit", &Ram::low_limit_,
               "How much of it lies in the low window; the rest is in the high one")
        .range(1_MiB, 4_GiB);
    d.memory_region<&Ram::low>("low", "Memory from address 0 on");
    d.memory_region<&Ram::high>(
        "high", "Memory beyond the low limit, for 4 GiB and up; absent when there is none");
}

// Memory keeps its contents over a reset, so there is no reset function.
Outcome Ram::start() {
    if (out_of_memory_)
        return std::unexpected{"the host has no room for " + std::to_string(size_.value >> 20) +
                               " MiB of memory"};
    if (size_.value % page != 0 || low_limit_.value % page != 0)
        return std::unexpected{std::string{"size and low-limit must be multiples of 4 KiB"}};
    return {};
}

// Both functions of a region are asked more than once.
MemoryRegion Ram::allocate(MemoryRegion& region, std::uint64_t size) {
    if (size == 0 || region.memory != nullptr) return region;
    region.memory = static_cast<std::byte*>(host().allocate_memory(host().context, size));
    if (region.memory == nullptr)
        out_of_memory_ = true;
    else
        region.size = size;
    return region;
}

}  // namespace backplane::chipset
