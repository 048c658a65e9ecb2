// What a PC's firmware expects to find in the CMOS RAM behind the clock: what it would have written
// there itself when the machine was set up. (IBM PC/AT Technical Reference, "CMOS RAM"; the bytes
// above 0x2f as QEMU has them and SeaBIOS reads them)
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>

namespace backplane::chipset {

// As in byte 0x10.
enum class FloppyDrive : std::uint8_t { None, Kib360, Mib1_2, Kib720, Mib1_44, Mib2_88 };

struct CmosContents {
    // Bytes of RAM from 1 MiB, and from 4 GiB on, without a hole.
    std::uint64_t memory_above_1_mib = 0, memory_above_4_gib = 0;
    std::array<FloppyDrive, 2> floppies{};
    // Device codes in order; 0 ends the list.
    std::array<std::uint8_t, 3> boot_order{};
    std::uint8_t cpus = 1;
};

// "cad": a floppy, c hard disk, d CD, n network; up to three, each once.
std::expected<std::array<std::uint8_t, 3>, std::string> parse_boot_order(std::string_view letters);

void fill_cmos(std::span<std::uint8_t, 128> cmos, const CmosContents& contents);

}  // namespace backplane::chipset
