// How data lies on a CD: addresses as minute, second and frame, and the 2352 bytes of a sector
// around 2048 bytes of data. (ECMA-130)
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace backplane::storage {

struct CdAddress {
    std::uint8_t minute, second, frame;

    // Block 0 comes after two seconds.
    static constexpr std::uint32_t lead_in = 150;
    // Where minutes end, 99:59:74.
    static constexpr std::uint32_t most_blocks = 100 * 60 * 75 - lead_in;

    static CdAddress of_block(std::uint32_t block);
    // May lie before block 0.
    std::int64_t block() const {
        return (minute * 60 + second) * 75 + frame - std::int64_t{lead_in};
    }
};

// The parts of a sector of mode 1, in order: sync pattern, header, data, and codes that find and
// correct errors.
struct CdSector {
    static constexpr std::size_t size = 2352;
    static constexpr std::size_t header = 12, data = 16, codes = 2064;
    static constexpr std::size_t data_size = 2048;
};

// Fills in everything around the data.
void complete_cd_sector(std::span<std::uint8_t, CdSector::size> sector, std::uint32_t block);

}  // namespace backplane::storage
