// A controller with drives and images in memory, and the host's side of the protocols: what a
// driver does, register by register.
#pragma once

#include "ata_commands.h"
#include "ata_disk.h"
#include "ata_registers.h"
#include "ide_controller.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

namespace backplane::storage {

using testing::DeviceBench;
using testing::FakeBlock;
using testing::FakeClock;
using testing::Setting;

using Data = std::vector<std::uint8_t>;

// Bytes by which each place of an image is known.
inline void fill_with_pattern(FakeBlock& image) {
    for (std::size_t at = 0; at < image.bytes.size(); ++at)
        image.bytes[at] = static_cast<std::uint8_t>(at * 7 + at / 512 * 13 + at / 65536);
}

inline Data slice(const FakeBlock& image, std::size_t offset, std::size_t length) {
    return {image.bytes.begin() + static_cast<std::ptrdiff_t>(offset),
            image.bytes.begin() + static_cast<std::ptrdiff_t>(offset + length)};
}

// The registers of one channel, as a driver uses them.
class HostPort {
public:
    HostPort(DeviceBench& controller, std::string channel)
        : bench{controller}, name{std::move(channel)}, command{bench.window(name)},
          control{bench.window(name + "-control")} {}

    std::uint8_t status() const { return command.read8(7); }
    std::uint8_t alternate_status() const { return control.read8(0); }
    std::uint8_t error() const { return command.read8(1); }
    std::uint8_t count() const { return command.read8(2); }
    std::uint32_t lba24() const {
        return command.read8(3) | command.read8(4) << 8 |
               static_cast<std::uint32_t>(command.read8(5)) << 16;
    }
    std::uint16_t byte_count() const {
        return static_cast<std::uint16_t>(command.read8(4) | command.read8(5) << 8);
    }
    bool irq() { return bench.level(name + "-irq"); }

    void select(unsigned device) const {
        command.write8(6, static_cast<std::uint8_t>(0xa0 | device << 4));
    }
    void issue(std::uint8_t opcode) const { command.write8(7, opcode); }

    void issue28(std::uint8_t opcode, std::uint32_t lba, std::uint8_t sectors,
                 unsigned device = 0) const {
        command.write8(6, static_cast<std::uint8_t>(0xe0 | device << 4 | lba >> 24));
        command.write8(2, sectors);
        command.write8(3, static_cast<std::uint8_t>(lba));
        command.write8(4, static_cast<std::uint8_t>(lba >> 8));
        command.write8(5, static_cast<std::uint8_t>(lba >> 16));
        issue(opcode);
    }

    void issue48(std::uint8_t opcode, std::uint64_t lba, std::uint16_t sectors,
                 unsigned device = 0) const {
        command.write8(6, static_cast<std::uint8_t>(0xe0 | device << 4));
        command.write8(2, static_cast<std::uint8_t>(sectors >> 8));
        command.write8(2, static_cast<std::uint8_t>(sectors));
        for (unsigned byte = 0; byte < 3; ++byte) {
            command.write8(3 + byte, static_cast<std::uint8_t>(lba >> (24 + byte * 8)));
            command.write8(3 + byte, static_cast<std::uint8_t>(lba >> (byte * 8)));
        }
        issue(opcode);
    }

    void issue_features(std::uint8_t features, std::uint8_t sectors = 0) const {
        command.write8(1, features);
        command.write8(2, sectors);
        issue(ata_command::set_features);
    }

    Data read_block(std::size_t bytes) const {
        Data data;
        for (std::size_t at = 0; at < bytes; at += 2) {
            const std::uint16_t word = command.read16(0);
            data.push_back(static_cast<std::uint8_t>(word));
            if (at + 1 < bytes) data.push_back(static_cast<std::uint8_t>(word >> 8));
        }
        return data;
    }

    void write_block(std::span<const std::uint8_t> data) const {
        for (std::size_t at = 0; at < data.size(); at += 2)
            command.write16(0, static_cast<std::uint16_t>(
                                   data[at] | (at + 1 < data.size() ? data[at + 1] << 8 : 0)));
    }

    std::vector<std::uint16_t> identify(std::uint8_t opcode = ata_command::identify_device) const {
        issue(opcode);
        std::vector<std::uint16_t> words;
        if ((status() & ata_status::drq) == 0) return words;
        for (int word = 0; word < 256; ++word)
            words.push_back(command.read16(0));
        return words;
    }

    DeviceBench& bench;
    std::string name;
    testing::WindowProbe command, control;
};

inline std::string identify_text(const std::vector<std::uint16_t>& words, std::size_t first,
                                 std::size_t count) {
    std::string text;
    for (std::size_t word = first; word < first + count; ++word) {
        text += static_cast<char>(words[word] >> 8);
        text += static_cast<char>(words[word]);
    }
    return text;
}

constexpr std::uint8_t ready = ata_status::drdy | ata_status::dsc;
constexpr std::uint8_t has_data = ready | ata_status::drq;
constexpr std::uint8_t failed = ready | ata_status::err;

// One disk as the primary master.
class DiskBench {
public:
    explicit DiskBench(std::uint64_t sectors = 2048, std::vector<Setting> settings = {})
        : image{sectors * 512},
          disk{Declaration<AtaDisk>::device_type(), std::move(settings), &clock},
          controller{Declaration<IdeController>::device_type(), {}, &clock} {
        fill_with_pattern(image);
        disk.connect("image", image);
        controller.connect("primary-master", disk, "ata");
    }

    bool power_on() {
        if (!disk.power_on() || !controller.power_on()) return false;
        port = std::make_unique<HostPort>(controller, "primary");
        return true;
    }

    HostPort& on() {
        if (!power_on()) throw std::runtime_error{disk.failure()};
        return *port;
    }

    FakeClock clock;
    FakeBlock image;
    DeviceBench disk, controller;
    std::unique_ptr<HostPort> port;
};

}  // namespace backplane::storage
