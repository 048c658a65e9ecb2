// What the serial presence detect EEPROM of a memory module says about it. (JEDEC Standard 21-C,
// 4.1.2.4 for DDR SDRAM, 4.1.2.5 for SDR SDRAM, 4.1.2.10 for DDR2 SDRAM)
#pragma once

#include <array>
#include <cstdint>

namespace backplane::chipset {

enum class SpdMemory : std::uint8_t { Sdr, Ddr, Ddr2 };

// Whether a module of this kind can have so many bytes: a power of two within the standard's range.
bool spd_size_is_possible(SpdMemory memory, std::uint64_t bytes);

std::array<std::uint8_t, 256> spd_contents(SpdMemory memory, std::uint64_t bytes);

}  // namespace backplane::chipset
