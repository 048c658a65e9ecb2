#include "ram_layout.h"

#include <algorithm>

namespace backplane::firmware {

namespace {
constexpr std::uint64_t one_mebibyte = 1 << 20;
constexpr std::uint64_t four_gibibytes = std::uint64_t{1} << 32;

// The address itself when it is not in RAM.
std::uint64_t end_of_ram(const AddressSpace& memory, std::uint64_t address) {
    while (true) {
        const backplane_range range = memory.find(address);
        const bool is_ram = range.memory != nullptr && range.readable != 0 && range.writable != 0;
        if (!is_ram || range.start + range.length <= address) return address;
        address = range.start + range.length;
    }
}

}  // namespace

std::uint64_t RamLayout::total() const {
    std::uint64_t sum = low_end;
    for (const MemoryRange range : high)
        sum += range.length;
    return sum;
}

std::uint64_t RamLayout::high_end() const {
    return high.empty() ? four_gibibytes : high.back().end();
}

RamLayout find_ram(const AddressSpace& memory) {
    RamLayout layout;
    // Screens and ROMs lie before parts of the first 1 MiB; the memory is there all the same.
    layout.low_end = std::min(end_of_ram(memory, one_mebibyte), four_gibibytes);
    if (layout.low_end == one_mebibyte) layout.low_end = end_of_ram(memory, 0);

    const std::uint64_t extent = memory.extent();
    for (std::uint64_t address = four_gibibytes; address < extent;) {
        const std::uint64_t end = end_of_ram(memory, address);
        if (end > address) layout.high.push_back({address, end - address});
        const backplane_range hole = memory.find(end);
        if (hole.start + hole.length <= address) break;
        address = hole.start + hole.length;
    }
    return layout;
}

}  // namespace backplane::firmware
