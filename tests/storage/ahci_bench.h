// An AHCI controller with drives and images in memory, and what a driver does: command lists and
// tables in guest memory, register by register.
#pragma once

#include "ahci_controller.h"
#include "ata_commands.h"
#include "ata_disk.h"
#include "ata_registers.h"
#include "atapi_cdrom.h"
#include "packet_commands.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_block.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace backplane::storage {

using testing::DeviceBench;
using testing::FakeBlock;
using testing::FakeClock;
using testing::FakePciSlot;
using testing::Setting;

using Data = std::vector<std::uint8_t>;

struct Region {
    std::uint64_t address;
    std::uint32_t length;
    bool interrupts = false;
};

constexpr std::uint64_t abar = 0xf0000000;
constexpr std::uint64_t data_address = 0x100000;

// The registers of one port, and its structures in memory.
class AhciHost {
public:
    AhciHost(FakePciSlot& pci, unsigned port)
        : slot{pci}, number{port}, list{0x10000 + port * 0x10000ull}, received{list + 0x400},
          tables{list + 0x1000} {}

    std::uint32_t read(std::uint64_t offset) const {
        return static_cast<std::uint32_t>(
            slot.memory.read(abar + ahci::ports + number * ahci::port_size + offset));
    }
    void write(std::uint64_t offset, std::uint32_t value) const {
        slot.memory.write(abar + ahci::ports + number * ahci::port_size + offset, 4, value);
    }
    std::uint32_t status() const { return read(ahci::PxTFD) & 0xff; }
    std::uint32_t error() const { return read(ahci::PxTFD) >> 8; }

    // As drivers start a port: everything acknowledged, all interrupts enabled.
    void start() const {
        write(ahci::PxCLB, static_cast<std::uint32_t>(list));
        write(ahci::PxFB, static_cast<std::uint32_t>(received));
        write(ahci::PxSERR, ~0u);
        write(ahci::PxIS, ~0u);
        write(ahci::PxIE, ~0u);
        write(ahci::PxCMD, read(ahci::PxCMD) | ahci::port_command::fre);
        write(ahci::PxCMD, read(ahci::PxCMD) | ahci::port_command::st);
    }
    void stop() const { write(ahci::PxCMD, read(ahci::PxCMD) & ~ahci::port_command::st); }
    void restart() const {
        stop();
        write(ahci::PxSERR, ~0u);
        write(ahci::PxIS, ~0u);
        write(ahci::PxCMD, read(ahci::PxCMD) | ahci::port_command::st);
    }
    void acknowledge() const {
        write(ahci::PxIS, ~0u);
        slot.memory.write(abar + ahci::IS, 4, ~0u);
    }

    // What a driver puts into a slot.
    void prepare(unsigned tag, std::span<const std::uint8_t> fis,
                 const std::vector<Region>& regions = {}, std::uint32_t flags = 0,
                 std::span<const std::uint8_t> packet = {}) const {
        const std::uint64_t table = tables + tag * 0x400ull;
        put(table, fis);
        put(table + ahci::table_packet, packet);
        std::uint64_t at = table + ahci::table_regions;
        for (const Region& region : regions) {
            slot.memory.write(at, 8, region.address);
            slot.memory.write(at + 8, 4, 0);
            slot.memory.write(at + 12, 4, (region.length - 1) | (region.interrupts ? 1u << 31 : 0));
            at += 16;
        }
        const std::uint64_t header = list + tag * 32ull;
        slot.memory.write(header, 4,
                          static_cast<std::uint32_t>(fis.size() / 4) | flags |
                              static_cast<std::uint32_t>(regions.size()) << 16);
        slot.memory.write(header + 4, 4, 0xdddddddd);
        slot.memory.write(header + 8, 8, table);
    }
    std::uint32_t transferred(unsigned tag) const {
        return static_cast<std::uint32_t>(slot.memory.read(list + tag * 32ull + 4));
    }

    static std::array<std::uint8_t, 20> fis(std::uint8_t command, std::uint64_t lba,
                                            std::uint32_t count, std::uint32_t features = 0,
                                            std::uint8_t device = ata_device::lba) {
        const auto byte = [](std::uint64_t value, unsigned index) {
            return static_cast<std::uint8_t>(value >> (index * 8));
        };
        return {ahci::fis_type::to_device,
                ahci::fis_flag::command,
                command,
                byte(features, 0),
                byte(lba, 0),
                byte(lba, 1),
                byte(lba, 2),
                device,
                byte(lba, 3),
                byte(lba, 4),
                byte(lba, 5),
                byte(features, 1),
                byte(count, 0),
                byte(count, 1)};
    }

    void issue(unsigned tag, std::uint8_t command, std::uint64_t lba, std::uint32_t count,
               const std::vector<Region>& regions = {}, std::uint32_t features = 0) const {
        prepare(tag, fis(command, lba, count, features), regions);
        write(ahci::PxCI, 1u << tag);
    }

    // READ or WRITE FPDMA QUEUED.
    void queue(unsigned tag, std::uint8_t command, std::uint64_t lba, std::uint32_t count,
               const std::vector<Region>& regions, std::uint8_t device = ata_device::lba) const {
        prepare(tag, fis(command, lba, tag << 3, count, device), regions);
        write(ahci::PxSACT, 1u << tag);
        write(ahci::PxCI, 1u << tag);
    }

    void packet(unsigned tag, std::span<const std::uint8_t> bytes,
                const std::vector<Region>& regions, bool dma) const {
        constexpr std::uint32_t atapi = 1u << 5;
        prepare(tag, fis(ata_command::packet, 0xfffe00, 0, dma ? 1 : 0, 0), regions, atapi, bytes);
        write(ahci::PxCI, 1u << tag);
    }

    void control(unsigned tag, std::uint8_t value, std::uint32_t flags) const {
        std::array<std::uint8_t, 20> bytes{ahci::fis_type::to_device};
        bytes[15] = value;
        prepare(tag, bytes, {}, flags);
        write(ahci::PxCI, 1u << tag);
    }

    Data memory(std::uint64_t address, std::size_t length) const {
        const auto first = slot.memory.memory.begin() + static_cast<std::ptrdiff_t>(address);
        return {first, first + static_cast<std::ptrdiff_t>(length)};
    }
    Data received_fis(std::uint64_t place, std::size_t length) const {
        return memory(received + place, length);
    }
    void put(std::uint64_t address, std::span<const std::uint8_t> bytes) const {
        std::ranges::copy(bytes, slot.memory.memory.begin() + static_cast<std::ptrdiff_t>(address));
    }

    FakePciSlot& slot;
    unsigned number;
    std::uint64_t list, received, tables;
};

// A disk at port 0 and a CD-ROM drive at port 1.
class AhciBench {
public:
    explicit AhciBench(std::vector<Setting> disk_settings = {}, std::vector<Setting> settings = {})
        : disk{Declaration<AtaDisk>::device_type(), std::move(disk_settings), &clock},
          cdrom{Declaration<AtapiCdrom>::device_type(), {}, &clock},
          controller{Declaration<AhciController>::device_type(), std::move(settings), &clock} {
        slot.memory.memory.resize(4 << 20);
        for (std::size_t at = 0; at < image.bytes.size(); ++at)
            image.bytes[at] = static_cast<std::uint8_t>(at * 7 + at / 512 * 13 + at / 65536);
        cd_image.bytes = Data(image.bytes.rbegin(), image.bytes.rbegin() + 400 * 2048);
        cd_image.is_removable = cd_image.is_read_only = true;
        disk.connect("image", image);
        cdrom.connect("image", cd_image);
        controller.connect("slot", slot)
            .connect("port0", disk, "sata")
            .connect("port1", cdrom, "sata");
    }

    AhciBench& power_on() {
        if (!disk.power_on() || !cdrom.power_on() || !controller.power_on())
            throw std::runtime_error{disk.failure() + cdrom.failure() + controller.failure()};
        slot.write_config(0x24, 4, static_cast<std::uint32_t>(abar));
        slot.enable();
        return *this;
    }

    // A driver has started the port of the disk.
    AhciHost& on() {
        power_on();
        slot.memory.write(abar + ahci::GHC, 4, ahci::ghc::ae | ahci::ghc::ie);
        host.start();
        host.acknowledge();
        return host;
    }
    AhciHost& on_cd() {
        on();
        cd_host.start();
        cd_host.acknowledge();
        constexpr std::array<std::uint8_t, 12> request_sense{packet_command::request_sense, 0, 0, 0,
                                                             18};
        cd_host.packet(0, request_sense, {{data_address, 18}}, false);
        cd_host.restart();
        return cd_host;
    }

    std::uint32_t generic(std::uint64_t offset) {
        return static_cast<std::uint32_t>(slot.memory.read(abar + offset));
    }
    bool interrupt() const { return slot.pins[0]; }

    Data on_disk(std::size_t sector, std::size_t sectors) const {
        const auto first = image.bytes.begin() + static_cast<std::ptrdiff_t>(sector * 512);
        return {first, first + static_cast<std::ptrdiff_t>(sectors * 512)};
    }

    FakeClock clock;
    FakeBlock image{8192 * 512}, cd_image{0};
    FakePciSlot slot;
    DeviceBench disk, cdrom, controller;
    AhciHost host{slot, 0}, cd_host{slot, 1};
};

constexpr std::uint8_t ready = ata_status::drdy | ata_status::dsc;

}  // namespace backplane::storage
