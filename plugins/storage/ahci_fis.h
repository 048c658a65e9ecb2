// Frame information structures: what passes over a SATA link, as an AHCI adapter reads it from a
// command table and writes it to memory. (SATA 2.6, 10.3)
#pragma once

#include <backplane/abi/ata.h>

#include <array>
#include <cstdint>
#include <span>

namespace backplane::storage::ahci {

namespace fis_type {
constexpr std::uint8_t to_device = 0x27, to_host = 0x34, dma_setup = 0x41, pio_setup = 0x5f,
                       set_device_bits = 0xa1;
}  // namespace fis_type

// The second byte.
namespace fis_flag {
constexpr std::uint8_t to_host = 0x20, interrupt = 0x40, command = 0x80;
}  // namespace fis_flag

// Register FIS, host to device: five double words, of which old hosts may write fewer.
struct RegisterToDevice {
    std::array<std::uint8_t, 20> bytes{};

    bool is_command() const { return (bytes[1] & fis_flag::command) != 0; }
    std::uint8_t control() const { return bytes[15]; }

    backplane_ata_command command() const {
        const auto lba = [this](unsigned at) { return std::uint64_t{bytes[at]}; };
        backplane_ata_command command{};
        command.struct_size = sizeof command;
        command.command = bytes[2];
        command.device = bytes[7];
        command.features = static_cast<std::uint16_t>(bytes[3] | bytes[11] << 8);
        command.count = static_cast<std::uint16_t>(bytes[12] | bytes[13] << 8);
        command.lba = lba(4) | lba(5) << 8 | lba(6) << 16 | lba(8) << 24 | lba(9) << 32 |
                      lba(10) << 40;
        return command;
    }
};

// The registers as both Register and PIO Setup FIS have them.
inline std::array<std::uint8_t, 20> registers_to_host(std::uint8_t type, std::uint8_t flags,
                                                      const backplane_ata_result& result) {
    const auto lba = [&](unsigned byte) {
        return static_cast<std::uint8_t>(result.lba >> (byte * 8));
    };
    return {type,
            flags,
            result.status,
            result.error,
            lba(0),
            lba(1),
            lba(2),
            result.device,
            lba(3),
            lba(4),
            lba(5),
            0,
            static_cast<std::uint8_t>(result.count),
            static_cast<std::uint8_t>(result.count >> 8)};
}

inline std::array<std::uint8_t, 20> register_to_host(const backplane_ata_result& result) {
    return registers_to_host(fis_type::to_host,
                             result.interrupt != 0 ? fis_flag::interrupt : std::uint8_t{0}, result);
}

// `status_after`: once the data has passed, which is whole words.
inline std::array<std::uint8_t, 20> pio_setup(const backplane_ata_result& result, bool to_host,
                                              std::uint32_t length, std::uint8_t status_after) {
    auto fis = registers_to_host(
        fis_type::pio_setup,
        static_cast<std::uint8_t>((to_host ? fis_flag::to_host : 0) |
                                  (result.interrupt != 0 ? fis_flag::interrupt : 0)),
        result);
    const std::uint32_t count = length + length % 2;
    fis[15] = status_after;
    fis[16] = static_cast<std::uint8_t>(count);
    fis[17] = static_cast<std::uint8_t>(count >> 8);
    return fis;
}

inline std::array<std::uint8_t, 28> dma_setup(std::uint32_t tag, bool to_host, std::uint64_t offset,
                                              std::uint64_t length) {
    std::array<std::uint8_t, 28> fis{fis_type::dma_setup,
                                     to_host ? fis_flag::to_host : std::uint8_t{0}};
    fis[4] = static_cast<std::uint8_t>(tag);
    for (unsigned byte = 0; byte < 4; ++byte) {
        fis[16 + byte] = static_cast<std::uint8_t>(offset >> (byte * 8));
        fis[20 + byte] = static_cast<std::uint8_t>(length >> (byte * 8));
    }
    return fis;
}

inline std::array<std::uint8_t, 8> set_device_bits(std::uint32_t done, std::uint8_t status,
                                                   std::uint8_t error) {
    std::array<std::uint8_t, 8> fis{fis_type::set_device_bits, fis_flag::interrupt, status, error};
    for (unsigned byte = 0; byte < 4; ++byte)
        fis[4 + byte] = static_cast<std::uint8_t>(done >> (byte * 8));
    return fis;
}

}  // namespace backplane::storage::ahci
