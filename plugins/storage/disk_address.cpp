#include "disk_address.h"

#include "ata_registers.h"

#include <algorithm>

namespace backplane::storage {

DiskGeometry DiskGeometry::natural(std::uint64_t total_sectors) {
    constexpr std::uint32_t heads = 16, sectors = 63, most_cylinders = 16383;
    const std::uint64_t cylinders = total_sectors / (heads * sectors);
    if (cylinders == 0) {
        // Too small for one cylinder of that size.
        if (total_sectors < sectors) return {1, 1, static_cast<std::uint32_t>(total_sectors)};
        return {1, static_cast<std::uint32_t>(total_sectors / sectors), sectors};
    }
    return {static_cast<std::uint32_t>(std::min<std::uint64_t>(cylinders, most_cylinders)), heads,
            sectors};
}

std::optional<DiskGeometry> DiskGeometry::divided(std::uint64_t total_sectors, std::uint32_t heads,
                                                  std::uint32_t sectors) {
    constexpr std::uint64_t most_cylinders = 65535;
    if (heads == 0 || sectors == 0) return std::nullopt;
    const std::uint64_t cylinders = total_sectors / (std::uint64_t{heads} * sectors);
    if (cylinders == 0) return std::nullopt;
    return DiskGeometry{static_cast<std::uint32_t>(std::min(cylinders, most_cylinders)), heads,
                        sectors};
}

namespace {

// CHS commands: LBA low is the sector, from 1, mid and high are the cylinder.
std::optional<std::uint64_t> from_chs(const backplane_ata_command& command,
                                      const DiskGeometry& geometry) {
    const auto sector = static_cast<std::uint32_t>(command.lba & 0xff);
    const auto cylinder = static_cast<std::uint32_t>(command.lba >> 8 & 0xffff);
    const std::uint32_t head = command.device & 0xf;
    if (sector == 0 || sector > geometry.sectors || head >= geometry.heads ||
        cylinder >= geometry.cylinders)
        return std::nullopt;
    return (std::uint64_t{cylinder} * geometry.heads + head) * geometry.sectors + sector - 1;
}

}  // namespace

std::optional<SectorRange> addressed_sectors(const backplane_ata_command& command,
                                             AddressWidth width, const DiskGeometry& geometry) {
    if (width == AddressWidth::Bits48)
        return SectorRange{command.lba, command.count == 0 ? 0x10000u : command.count};
    const std::uint32_t low_count = command.count & 0xff;
    const std::uint32_t count = low_count == 0 ? 0x100 : low_count;
    if ((command.device & ata_device::lba) != 0)
        return SectorRange{(command.lba & 0xffffff) | std::uint64_t{command.device & 0xfu} << 24,
                           count};
    const auto first = from_chs(command, geometry);
    if (!first) return std::nullopt;
    return SectorRange{*first, count};
}

void set_address(backplane_ata_result& result, const backplane_ata_command& command,
                 AddressWidth width, const DiskGeometry& geometry, std::uint64_t sector) {
    if (width == AddressWidth::Bits48) {
        result.lba = sector;
    } else if ((command.device & ata_device::lba) != 0) {
        result.lba = sector & 0xffffff;
        result.device = static_cast<std::uint8_t>(sector >> 24 & 0xf);
    } else if (geometry.capacity() != 0) {
        const std::uint64_t track = sector / geometry.sectors;
        result.lba = (sector % geometry.sectors + 1) | (track / geometry.heads & 0xffff) << 8;
        result.device = static_cast<std::uint8_t>(track % geometry.heads & 0xf);
    }
}

}  // namespace backplane::storage
