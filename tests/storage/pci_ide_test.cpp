// Bus-master DMA and the ports as configuration space turns them on. (Programming Interface for Bus
// Master IDE Controller 1.0)
#include "atapi_bench.h"
#include "pci_ide.h"

#include <backplane/testing/fake_pci_slot.h>

namespace backplane::storage {
namespace {

constexpr unsigned start = 1, to_memory = 8;
constexpr unsigned active = 1, error = 2, interrupt = 4;

// The registers of a channel, at the ports where the controller put them.
class PciBench {
public:
    explicit PciBench(bool decode = true)
        : image{8192 * 512}, cd_image{400 * 2048},
          disk{Declaration<AtaDisk>::device_type(), {}, &clock},
          cdrom{Declaration<AtapiCdrom>::device_type(), {}, &clock},
          controller{Declaration<Piix3Ide>::device_type(), {{"decode-at-reset", decode}}, &clock} {
        fill_with_pattern(image);
        fill_with_pattern(cd_image);
        disk.connect("image", image);
        cdrom.connect("image", cd_image);
        controller.connect("slot", slot)
            .connect("primary-master", disk, "ata")
            .connect("secondary-master", cdrom, "ata");
        EXPECT_TRUE(disk.power_on() && cdrom.power_on() && controller.power_on());
        slot.write_config(0x20, 4, master);
        slot.enable();
    }

    std::uint8_t in(unsigned port) { return static_cast<std::uint8_t>(slot.io.read(port, 1)); }
    void out(unsigned port, unsigned value) { slot.io.write(port, 1, value); }

    struct Region {
        std::uint32_t address;
        std::uint32_t count_and_flags;
    };
    static constexpr std::uint32_t last = 0x80000000;

    void set_table(const std::vector<Region>& regions, std::uint32_t address = table) {
        for (const auto& [place, count] : regions) {
            slot.memory.write(address, 4, place);
            slot.memory.write(address + 4, 4, count);
            address += 8;
        }
        slot.io.write(master + 4, 4, table);
    }

    void issue28(std::uint8_t opcode, std::uint32_t lba, unsigned sectors) {
        out(0x1f6, 0xe0 | lba >> 24);
        out(0x1f2, sectors);
        out(0x1f3, lba & 0xff);
        out(0x1f4, lba >> 8 & 0xff);
        out(0x1f5, lba >> 16 & 0xff);
        out(0x1f7, opcode);
    }

    Data memory(std::uint32_t address, std::size_t length) {
        return {slot.memory.memory.begin() + address,
                slot.memory.memory.begin() + address + static_cast<std::ptrdiff_t>(length)};
    }

    static constexpr std::uint32_t master = 0xc000, table = 0x1000;
    FakeClock clock;
    FakeBlock image, cd_image;
    testing::FakePciSlot slot;
    DeviceBench disk, cdrom, controller;
};

TEST(PciIdeTest, IsAPiix3InConfigurationSpace) {
    PciBench bench;
    EXPECT_EQ(bench.slot.read_config(0), 0x70108086u);
    EXPECT_EQ(bench.slot.read_config(4) >> 16, 0x0280u)
        << "medium DEVSEL timing, fast back-to-back";
    EXPECT_EQ(bench.slot.read_config(8) >> 8, 0x010180u);
    EXPECT_EQ(bench.slot.bar_size(4), 16u);
    bench.slot.write_config(0x40, 4, 0xffffffff);
    EXPECT_EQ(bench.slot.read_config(0x40), 0xf3fff3ffu);
    EXPECT_EQ(bench.slot.read_config(0x48), 0u) << "no Ultra DMA";
}

TEST(PciIdeTest, ThePortsAnswerAsTheDecodeBitsSay) {
    PciBench bench{false};
    EXPECT_EQ(bench.in(0x1f7), 0xff);
    bench.slot.write_config(0x40, 2, 0x8000);
    EXPECT_EQ(bench.in(0x1f7), ready);
    EXPECT_EQ(bench.in(0x3f6), ready);
    EXPECT_EQ(bench.in(0x177), 0xff);
    bench.slot.write_config(0x42, 2, 0x8000);
    EXPECT_EQ(bench.in(0x177), 0x00);
    bench.slot.write_config(0x04, 2, 0);
    EXPECT_EQ(bench.in(0x1f7), 0xff) << "no I/O at all";
}

TEST(PciIdeTest, ReadsIntoTheRegionsOfTheTable) {
    PciBench bench;
    bench.set_table({{0x10000, 512}, {0x20000, 1024 - 2}, {0x30002, 514 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 40, 4);
    EXPECT_FALSE(bench.controller.level("primary-irq")) << "the bus master has not been started";
    EXPECT_EQ(bench.in(0x1f7) & ata_status::drq, ata_status::drq);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_TRUE(bench.controller.level("primary-irq"));
    EXPECT_EQ(bench.in(PciBench::master + 2), interrupt) << "the table's end was the data's end";
    EXPECT_EQ(bench.in(0x1f7), ready);
    Data data = bench.memory(0x10000, 512);
    for (const auto& [address, length] : {std::pair{0x20000u, 1022u}, std::pair{0x30002u, 514u}}) {
        const Data part = bench.memory(address, length);
        data.insert(data.end(), part.begin(), part.end());
    }
    EXPECT_EQ(data, slice(bench.image, 40 * 512, 4 * 512));
    bench.out(PciBench::master + 2, interrupt | error);
    EXPECT_EQ(bench.in(PciBench::master + 2), 0);
}

TEST(PciIdeTest, WritesFromMemoryWhicheverIsStartedFirst) {
    PciBench bench;
    for (std::uint32_t at = 0; at < 128 * 1024; ++at)
        bench.slot.memory.memory[0x40000 + at] = static_cast<std::uint8_t>(at * 5 + at / 512);
    bench.set_table({{0x40000, 0}, {0x50000, 0 | PciBench::last}});
    bench.out(PciBench::master, start);
    bench.issue28(ata_command::write_dma, 1000, 0);
    EXPECT_TRUE(bench.controller.level("primary-irq"));
    EXPECT_EQ(bench.in(0x1f7), ready);
    EXPECT_EQ(slice(bench.image, 1000 * 512, 128 * 1024), bench.memory(0x40000, 128 * 1024));
}

TEST(PciIdeTest, ATableThatIsTooLongStaysActive) {
    PciBench bench;
    bench.set_table({{0x10000, 4096}, {0x20000, 4096 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 0, 1);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_EQ(bench.in(PciBench::master + 2), interrupt | active);
    EXPECT_EQ(bench.in(0x1f7), ready);
    bench.out(PciBench::master, 0);
    EXPECT_EQ(bench.in(PciBench::master + 2), interrupt);
}

TEST(PciIdeTest, ATableThatIsTooShortLeavesTheDriveWaiting) {
    PciBench bench;
    bench.set_table({{0x10000, 1024 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 0, 4);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_EQ(bench.in(PciBench::master + 2), 0) << "neither active nor interrupting";
    EXPECT_FALSE(bench.controller.level("primary-irq"));
    EXPECT_EQ(bench.in(0x1f7) & ata_status::drq, ata_status::drq);
    EXPECT_EQ(bench.memory(0x10000, 1024), slice(bench.image, 0, 1024));
    // As a driver gets out of it.
    bench.out(PciBench::master, 0);
    bench.out(0x3f6, device_control::srst);
    bench.out(0x3f6, 0);
    EXPECT_EQ(bench.in(0x1f7), ready);
    bench.set_table({{0x10000, 512 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 7, 1);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_EQ(bench.memory(0x10000, 512), slice(bench.image, 7 * 512, 512));
}

TEST(PciIdeTest, NonsenseInTheTableDoesNoHarm) {
    PciBench bench;
    // An odd address, regions across 64 KiB and beyond memory, and a table that never ends.
    bench.set_table({{0x10001, 513}, {0x1fff0, 64}, {0xfffffff0, 64}, {0x90000000, 1024}});
    bench.issue28(ata_command::read_dma, 3, 3);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_EQ(bench.in(0x1f7), ready);
    EXPECT_EQ(bench.memory(0x10000, 512), slice(bench.image, 3 * 512, 512));
    EXPECT_EQ(bench.memory(0x1fff0, 64), slice(bench.image, 4 * 512, 64));
    // A table beyond memory reads as ones: regions of almost 64 KiB at the top, the last.
    bench.out(PciBench::master, 0);
    bench.slot.io.write(PciBench::master + 4, 4, 0xfffffffc);
    bench.issue28(ata_command::write_dma, 3, 0);
    bench.out(PciBench::master, start);
    EXPECT_EQ(bench.in(PciBench::master + 2) & active, 0);
    EXPECT_EQ(bench.in(0x1f7) & ata_status::drq, ata_status::drq) << "128 KiB were asked for";
    // A table in the middle of the data.
    bench.out(PciBench::master, 0);
    bench.out(0x3f6, device_control::srst);
    bench.out(0x3f6, 0);
    bench.set_table({{PciBench::table, 0}, {PciBench::table, 0}});
    bench.issue28(ata_command::read_dma, 0, 0);
    bench.out(PciBench::master, start | to_memory);
    bench.out(PciBench::master, 0);
}

TEST(PciIdeTest, TheWrongDirectionMovesNothing) {
    PciBench bench;
    bench.set_table({{0x10000, 512 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 3, 1);
    bench.out(PciBench::master, start);
    EXPECT_EQ(bench.in(PciBench::master + 2), active);
    EXPECT_EQ(bench.memory(0x10000, 512), Data(512, 0));
}

TEST(PciIdeTest, WithoutBusMasteringNothingMoves) {
    PciBench bench;
    bench.set_table({{0x10000, 512 | PciBench::last}});
    bench.slot.write_config(0x04, 2, 0x0001);
    bench.issue28(ata_command::read_dma, 3, 1);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_EQ(bench.memory(0x10000, 512), Data(512, 0));
    EXPECT_FALSE(bench.controller.level("primary-irq"));
}

TEST(PciIdeTest, AnErrorOfTheImageEndsTheCommand) {
    PciBench bench;
    bench.image.bad = {9 * 512, 10 * 512};
    bench.set_table({{0x10000, 4096 | PciBench::last}});
    bench.issue28(ata_command::read_dma, 8, 8);
    bench.out(PciBench::master, start | to_memory);
    EXPECT_TRUE(bench.controller.level("primary-irq"));
    EXPECT_EQ(bench.in(PciBench::master + 2), interrupt | active);
    EXPECT_EQ(bench.in(0x1f7), failed);
    EXPECT_EQ(bench.in(0x1f1), ata_error::unc);
    EXPECT_EQ(bench.in(0x1f3), 9);
    EXPECT_EQ(bench.memory(0x10000, 512), slice(bench.image, 8 * 512, 512));
}

TEST(PciIdeTest, PacketDataGoesByDmaToo) {
    PciBench bench;
    const auto send = [&](const Packet& packet) {
        bench.out(0x176, 0xa0);
        bench.out(0x171, 1);
        bench.out(0x177, ata_command::packet);
        for (std::size_t at = 0; at < 12; at += 2)
            bench.slot.io.write(0x170, 2, packet[at] | packet[at + 1] << 8);
    };
    bench.set_table({{0x2000, 18 | PciBench::last}});
    bench.slot.io.write(PciBench::master + 12, 4, PciBench::table);
    bench.out(PciBench::master + 8, start | to_memory);
    send({packet_command::request_sense, 0, 0, 0, 18});
    EXPECT_EQ(bench.in(0x177), ready);
    EXPECT_EQ(bench.memory(0x2000, 3), (Data{0x70, 0, 6}));
    bench.out(PciBench::master + 8, 0);

    bench.set_table({{0x40000, 0}, {0x50000, 0x9000 | PciBench::last}});
    send(read_10(3, 50));
    bench.out(PciBench::master + 8, start | to_memory);
    EXPECT_TRUE(bench.controller.level("secondary-irq"));
    EXPECT_EQ(bench.in(0x177), ready);
    EXPECT_EQ(bench.memory(0x40000, 50 * 2048), slice(bench.cd_image, 3 * 2048, 50 * 2048));
}

TEST(PciIdeTest, TrimGivesTheRangesBackToTheImage) {
    PciBench bench;
    bench.slot.memory.write(0x2000, 8, 100 | std::uint64_t{3} << 48);
    bench.slot.memory.write(0x2008, 8, 200 | std::uint64_t{1} << 48);
    bench.set_table({{0x2000, 512 | PciBench::last}});
    bench.out(0x1f1, 1);
    bench.out(0x1f2, 0);  // the count has 16 bits
    bench.issue28(ata_command::data_set_management, 0, 1);
    bench.out(PciBench::master, start);
    EXPECT_EQ(bench.in(0x1f1), 0);
    EXPECT_EQ(bench.in(0x1f7), ready);
    const std::vector<FakeBlock::Request> expected{{BACKPLANE_BLOCK_DISCARD, 0, 100 * 512, 3 * 512},
                                                   {BACKPLANE_BLOCK_DISCARD, 0, 200 * 512, 512}};
    EXPECT_EQ(bench.image.requests, expected);
}

TEST(PciIdeTest, ARequestInFlightIsMadeAgainAfterASnapshot) {
    PciBench first, second;
    first.image.holds = true;
    first.set_table({{0x10000, 4096 | PciBench::last}});
    first.issue28(ata_command::read_dma, 64, 8);
    first.out(PciBench::master, start | to_memory);
    EXPECT_EQ(first.image.held(), 1u);
    second.slot.memory.memory = first.slot.memory.memory;
    second.disk.restore(first.disk.save());
    second.cdrom.restore(first.cdrom.save());
    second.controller.restore(first.controller.save());
    second.disk.host().run_posted();
    EXPECT_TRUE(second.controller.level("primary-irq"));
    EXPECT_EQ(second.in(0x1f7), ready);
    EXPECT_EQ(second.memory(0x10000, 4096), slice(second.image, 64 * 512, 4096));
    first.image.finish_all();
    EXPECT_EQ(testing::state_difference(first.disk.save(), second.disk.save()), "");
    (void)first.in(0x1f7);
    EXPECT_EQ(testing::state_difference(first.controller.save(), second.controller.save()), "");
}

TEST(PciIdeTest, APioTransferGoesOnAfterASnapshot) {
    PciBench first, second;
    first.issue28(ata_command::read_sectors, 64, 2);
    for (int word = 0; word < 100; ++word)
        (void)first.slot.io.read(0x1f0, 2);
    second.disk.restore(first.disk.save());
    second.cdrom.restore(first.cdrom.save());
    second.controller.restore(first.controller.save());
    Data rest;
    for (int word = 100; word < 512; ++word) {
        const auto value = second.slot.io.read(0x1f0, 2);
        rest.push_back(static_cast<std::uint8_t>(value));
        rest.push_back(static_cast<std::uint8_t>(value >> 8));
    }
    EXPECT_EQ(rest, slice(second.image, 64 * 512 + 200, 1024 - 200));
    EXPECT_EQ(second.in(0x1f7), ready);
}

}  // namespace
}  // namespace backplane::storage
