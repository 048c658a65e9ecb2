// The processor state in which a kernel expects to be entered (boot.rst, "32-bit Boot Protocol" and
// "64-bit Boot Protocol").
#pragma once

#include "cpu_registers.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace backplane::linux_boot {

// Page tables that map the first 4 GiB to themselves in 2 MiB pages; `base` is where they will lie.
inline constexpr std::uint64_t identity_map_bytes = 6 * 4096;
std::vector<std::byte> identity_map(std::uint64_t base);

// Long mode with paging on, or protected mode without.
enum class EntryMode : std::uint8_t { Bits32, Bits64 };

// The descriptor table with the selectors both protocols fix.
inline constexpr std::uint16_t boot_code_selector = 0x10;
inline constexpr std::uint16_t boot_data_selector = 0x18;
std::vector<std::byte> boot_descriptors(EntryMode mode);

struct KernelEntry {
    EntryMode mode = EntryMode::Bits64;
    std::uint64_t entry = 0;
    std::uint64_t boot_params = 0;
    std::uint64_t page_tables = 0;  // for long mode
    std::uint64_t descriptors = 0;
    std::uint64_t stack = 0;
};

std::vector<RegisterValue> registers_at_entry(const KernelEntry& entry);

}  // namespace backplane::linux_boot
