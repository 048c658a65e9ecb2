// The registers of an ATA device and their bits, by the names of the standard. (ATA/ATAPI-7 volume
// 1, 5.2 to 5.15; ATA/ATAPI-6 chapter 7)
#pragma once

#include <cstdint>

namespace backplane::storage {

namespace ata_status {
constexpr std::uint8_t err = 0x01;  // CHK of packet commands
constexpr std::uint8_t drq = 0x08;
constexpr std::uint8_t dsc = 0x10;  // device seek complete; of old hosts
constexpr std::uint8_t df = 0x20;
constexpr std::uint8_t drdy = 0x40;
constexpr std::uint8_t bsy = 0x80;
}  // namespace ata_status

namespace ata_error {
constexpr std::uint8_t abrt = 0x04;
constexpr std::uint8_t idnf = 0x10;
constexpr std::uint8_t unc = 0x40;  // of reads
constexpr std::uint8_t wp = 0x40;   // of writes
}  // namespace ata_error

namespace ata_device {
constexpr std::uint8_t dev = 0x10;
constexpr std::uint8_t lba = 0x40;
constexpr std::uint8_t obsolete = 0xa0;  // bits that old hosts set
}  // namespace ata_device

namespace device_control {
constexpr std::uint8_t nien = 0x02;
constexpr std::uint8_t srst = 0x04;
constexpr std::uint8_t hob = 0x80;
}  // namespace device_control

// Of packet commands, in the Count register.
namespace interrupt_reason {
constexpr std::uint8_t cod = 0x01;  // the packet itself, or the status after all data
constexpr std::uint8_t io = 0x02;   // to the host
}  // namespace interrupt_reason

// What a device leaves in its registers after a reset. (ATA/ATAPI-6, 9.12)
constexpr std::uint64_t ata_signature = 0x000001;
constexpr std::uint64_t packet_signature = 0xeb1401;
constexpr std::uint8_t diagnostic_passed = 0x01;

}  // namespace backplane::storage
