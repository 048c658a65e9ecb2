// What AtaDisk says of itself. (ATA/ATAPI-7 volume 1, 6.16; ACS-3, 7.12.7)
#include "ata_disk.h"

#include <algorithm>
#include <bit>

namespace backplane::storage {

void AtaDisk::identify() {
    const BlockInfo info = image().info();
    const std::uint64_t total = total_sectors();
    const auto total28 = static_cast<std::uint32_t>(std::min<std::uint64_t>(total, 0x0fffffff));
    const auto bit = [](bool set, unsigned value) { return set ? value : 0; };
    IdentifyData data;
    data[0] = 0x0040;  // not removable
    data[1] = static_cast<std::uint16_t>(geometry_.cylinders);
    data[3] = static_cast<std::uint16_t>(geometry_.heads);
    data[6] = static_cast<std::uint16_t>(geometry_.sectors);
    data.set_text(10, 10, text_or_name(serial_));
    data.set_text(23, 4, firmware_);
    data.set_text(27, 20, model_);
    data[47] = 0x8000 | most_multiple;
    data[49] = 0x2f00;  // standard standby timer values, IORDY, LBA, DMA
    data[50] = 0x4000;
    data[51] = 0x0200;
    data[53] = 0x0007;  // words 54 to 58, 64 to 70 and 88 are valid
    data[54] = static_cast<std::uint16_t>(translation_.cylinders);
    data[55] = static_cast<std::uint16_t>(translation_.heads);
    data[56] = static_cast<std::uint16_t>(translation_.sectors);
    data.set32(57, static_cast<std::uint32_t>(
                       std::min<std::uint64_t>(translation_.capacity(), 0xffffffff)));
    data[59] = static_cast<std::uint16_t>(multiple_ != 0 ? 0x100 | multiple_ : 0);
    data.set32(60, total28);
    data[63] = multiword_modes();
    data[64] = 0x0003;                                // PIO 3 and 4
    data[65] = data[66] = data[67] = data[68] = 120;  // cycle times in ns
    data[80] = 0x01f0;                                // ATA/ATAPI-4 to ATA8-ACS
    // SMART, power management, write cache, look-ahead, READ and WRITE BUFFER, NOP
    data[82] = 0x7069;
    data[83] = 0x7400;  // 48-bit addresses, FLUSH CACHE and FLUSH CACHE EXT
    // SMART error log and self-test, logs, WRITE ... FUA EXT
    data[84] = static_cast<std::uint16_t>(0x4063 | bit(wwn_ != 0, 0x0100));
    data[85] = static_cast<std::uint16_t>(0x7008 | bit(smart_, 0x0001) | bit(write_cache_, 0x0020) |
                                          bit(look_ahead_, 0x0040));
    data[86] = 0x3400;
    data[87] = data[84];
    data[88] = ultra_modes();
    identify_cable(data);
    if (is_serial()) {
        data[75] = BACKPLANE_SATA_TAGS - 1;
        data[76] |= 0x0100;  // queued commands
    }
    data.set64(100, total);
    const bool trims = trim_ && info.can_discard() && !info.is_read_only();
    if (trims) data[105] = sectors_in_buffer;
    if (info.physical_block_size > sector_size) {
        const auto shift = std::countr_zero(info.physical_block_size / sector_size);
        data[106] = static_cast<std::uint16_t>(0x6000 | shift);
    }
    if (wwn_ != 0)
        for (unsigned word = 0; word < 4; ++word)
            data[108 + word] = static_cast<std::uint16_t>(wwn_ >> (48 - word * 16));
    if (trims) data[169] = 0x0001;
    data[217] = 0x0001;  // does not rotate
    data.write_to(bytes());
    task_ = Task::SendBuffer;
    begin_phase(BACKPLANE_ATA_PIO_IN, 0, sector_size, true);
}

}  // namespace backplane::storage
