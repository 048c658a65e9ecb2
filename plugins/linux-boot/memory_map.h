// Which guest-physical memory there is, and what of it the kernel is told it may use.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace backplane {
class AddressSpace;
}

namespace backplane::linux_boot {

struct Range {
    std::uint64_t start = 0, end = 0;  // end exclusive
    bool operator==(const Range&) const = default;
    std::uint64_t size() const { return end - start; }
};

// "0x100000-0x7ffffff"
std::string to_text(Range range);

// Of the legacy PC below 1 MiB: base memory ends where the extended BIOS data area begins, firmware
// tables lie where a kernel looks for them (ACPI 5.2.5.1).
inline constexpr Range bios_data{0x400, 0x500};
inline constexpr Range extended_bios_data{0x9fc00, 0xa0000};
inline constexpr Range firmware_tables{0xe0000, 0x100000};

// RAM in ascending order; ranges that touch are one.
std::vector<Range> find_ram(const AddressSpace& memory);
bool contains(const std::vector<Range>& ranges, Range range);

// The highest place for `size` bytes in RAM, below `limit`, at or above 1 MiB and clear of `taken`.
std::optional<std::uint64_t> highest_place(const std::vector<Range>& ram, std::uint64_t size,
                                           std::uint64_t alignment, std::uint64_t limit,
                                           Range taken);
// The lowest one at or above `from`.
std::optional<std::uint64_t> lowest_place(const std::vector<Range>& ram, std::uint64_t size,
                                          std::uint64_t alignment, std::uint64_t from);

// What is left of `ram` when `taken`, in ascending order, is not there.
std::vector<Range> without(std::vector<Range> ram, const std::vector<Range>& taken);

enum class MemoryKind : std::uint32_t {
    Usable = 1,
    Reserved = 2,
    AcpiNvs = 4
};  // as E820 has them

struct E820Entry {
    Range range;
    MemoryKind kind;
    bool operator==(const E820Entry&) const = default;
};

// `tables` are no part of `ram`, and the guest's only to read: the FACS is among them, which may
// not be given away as other ACPI tables are (ACPI 5.2.10).
std::vector<E820Entry> e820_map(const std::vector<Range>& ram,
                                const std::vector<Range>& tables = {});

}  // namespace backplane::linux_boot
