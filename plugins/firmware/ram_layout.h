// Where the machine's memory lies, as the map itself tells it.
#pragma once

#include <backplane/address_space.h>

#include <cstdint>
#include <vector>

namespace backplane::firmware {

struct MemoryRange {
    std::uint64_t start = 0, length = 0;
    bool operator==(const MemoryRange&) const = default;
    std::uint64_t end() const { return start + length; }
};

struct RamLayout {
    std::uint64_t low_end = 0;      // of the memory that begins at 0, below 4 GiB
    std::vector<MemoryRange> high;  // at 4 GiB and above

    std::uint64_t total() const;
    std::uint64_t high_end() const;  // 4 GiB when there is none above
};

// To be asked before a guest has mapped anything: memory of display adapters looks like RAM.
RamLayout find_ram(const AddressSpace& memory);

}  // namespace backplane::firmware
