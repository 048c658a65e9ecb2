// Where on the disk a command is to act: logical blocks of 28 or 48 bits, or cylinder, head and
// sector of the geometry that the host asked for.
#pragma once

#include <backplane/abi/ata.h>

#include <cstdint>
#include <optional>

namespace backplane::storage {

struct DiskGeometry {
    std::uint32_t cylinders = 0, heads = 0, sectors = 0;

    bool operator==(const DiskGeometry&) const = default;
    std::uint64_t capacity() const { return std::uint64_t{cylinders} * heads * sectors; }

    // The geometry every disk of this size claims. (ATA/ATAPI-5, annex B)
    static DiskGeometry natural(std::uint64_t total_sectors);
    // As many cylinders as fit; none when the disk cannot be so divided.
    static std::optional<DiskGeometry> divided(std::uint64_t total_sectors, std::uint32_t heads,
                                               std::uint32_t sectors);
};

enum class AddressWidth : std::uint8_t { Bits28, Bits48 };

struct SectorRange {
    std::uint64_t first = 0;
    std::uint32_t count = 0;
};

// Nothing: there is no such sector.
std::optional<SectorRange> addressed_sectors(const backplane_ata_command& command,
                                             AddressWidth width, const DiskGeometry& geometry);

// Puts a sector's address into the registers, in the same way as the command had it.
void set_address(backplane_ata_result& result, const backplane_ata_command& command,
                 AddressWidth width, const DiskGeometry& geometry, std::uint64_t sector);

}  // namespace backplane::storage
