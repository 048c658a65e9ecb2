// Queued commands: order, errors and what they do to the others, resets in between. (ACS-3, 4.15;
// Serial ATA AHCI 1.3.1, 5.6.4 and 6.2.2)
#include "ahci_bench.h"
#include "held_block.h"

#include <gmock/gmock.h>

#include <chrono>

namespace backplane::storage {
namespace {

using namespace ahci;
using namespace std::chrono_literals;
using ata_command::read_fpdma_queued;
using ata_command::write_fpdma_queued;

constexpr std::uint64_t place(unsigned tag) { return data_address + tag * 0x10000ull; }

TEST(AhciQueueTest, ReadsAndWritesQueued) {
    AhciBench bench;
    const auto& host = bench.on();
    host.queue(7, read_fpdma_queued, 1000, 16, {{place(7), 4096}, {place(8), 4096}});
    EXPECT_EQ(host.read(PxCI) | host.read(PxSACT), 0u);
    EXPECT_EQ(host.status(), ata_status::drdy);
    EXPECT_EQ(host.read(PxIS), port_interrupt::sdbs);
    EXPECT_TRUE(bench.interrupt());
    EXPECT_EQ(host.received_fis(received_set_device_bits, 8),
              (Data{0xa1, 0x40, ata_status::drdy, 0, 0x80, 0, 0, 0}));
    EXPECT_EQ(host.received_fis(received_register, 3), (Data{0x34, 0, ready})) << "it was taken";
    const Data setup = host.received_fis(received_dma_setup, 28);
    EXPECT_EQ(setup[0], 0x41);
    EXPECT_EQ(setup[4], 7);
    Data data = host.memory(place(7), 4096);
    const Data second = host.memory(place(8), 4096);
    data.insert(data.end(), second.begin(), second.end());
    EXPECT_EQ(data, bench.on_disk(1000, 16));

    host.put(place(1), Data(512, 0x77));
    bench.image.requests.clear();
    host.queue(0, write_fpdma_queued, 5, 1, {{place(1), 512}});
    EXPECT_EQ(bench.on_disk(5, 1), Data(512, 0x77));
    constexpr std::uint8_t force_unit_access = 0x80;
    host.queue(0, write_fpdma_queued, 6, 1, {{place(1), 512}}, ata_device::lba | force_unit_access);
    EXPECT_THAT(
        bench.image.requests,
        ::testing::ElementsAre(
            FakeBlock::Request{BACKPLANE_BLOCK_WRITE, 0, 5 * 512, 512},
            FakeBlock::Request{BACKPLANE_BLOCK_WRITE, BACKPLANE_BLOCK_FORCE_ACCESS, 6 * 512, 512}));
}

// The same, with a backend that finishes in any order.
class AhciQueueOrderTest : public ::testing::Test {
protected:
    AhciQueueOrderTest() { bench.disk.connect("image", held); }

    void read(unsigned tag, std::uint64_t sector, std::uint32_t count = 1) const {
        bench.host.queue(tag, read_fpdma_queued, sector, count, {{place(tag), count * 512}});
    }

    AhciBench bench;
    HeldBlock held{bench.image};
};

TEST_F(AhciQueueOrderTest, ThirtyTwoAreInFlightAndEndInAnyOrder) {
    const auto& host = bench.on();
    for (unsigned tag = 0; tag < 32; ++tag)
        read(tag, tag * 10);
    EXPECT_EQ(held.requests.size(), 32u);
    EXPECT_EQ(host.read(PxCI), 0u) << "the drive has them all";
    EXPECT_EQ(host.read(PxSACT), ~0u);
    EXPECT_EQ(host.read(PxIS), 0u);
    std::uint32_t left = ~0u;
    for (unsigned step = 32; step > 0; --step) {
        const unsigned index = (step * step + 3) / 2 % step;  // some order
        const auto tag = static_cast<unsigned>(held.requests[index].offset / 5120);
        held.finish(index);
        left &= ~(1u << tag);
        EXPECT_EQ(host.read(PxSACT), left);
        EXPECT_EQ(host.memory(place(tag), 512), bench.on_disk(tag * 10, 1));
    }
    EXPECT_EQ(host.read(PxIS), port_interrupt::sdbs);
    EXPECT_EQ(bench.disk.statistic("commands.queued"), 32u);
}

TEST_F(AhciQueueOrderTest, AFailureAbortsTheOthersOnceTheirMemoryIsFree) {
    const auto& host = bench.on();
    bench.image.bad = {41 * 512, 42 * 512};
    read(3, 0);
    read(4, 40, 4);
    read(9, 100);
    held.finish(1);  // all four sectors
    EXPECT_EQ(held.requests.size(), 3u) << "one at a time now";
    held.finish(2);  // the good one
    held.finish(2);  // the bad one
    EXPECT_EQ(host.read(PxIS), 0u) << "others still use their memory";
    held.finish(1);
    EXPECT_EQ(host.read(PxSACT), 1u << 3 | 1u << 4) << "tag 9 was done in time";
    held.finish(0);
    EXPECT_EQ(host.read(PxIS), port_interrupt::sdbs | port_interrupt::tfes);
    EXPECT_EQ(host.status(), ata_status::drdy | ata_status::err);
    EXPECT_EQ(host.error(), ata_error::unc);
    EXPECT_EQ(host.read(PxSACT), 1u << 4);
    read(5, 0);
    EXPECT_EQ(host.read(PxCI), 1u << 5) << "nothing is taken any more";

    // What a driver does then.
    host.restart();
    EXPECT_EQ(host.read(PxSACT), 0u);
    read(5, 0);
    EXPECT_EQ(host.status() & ata_status::err, ata_status::err) << "not before the log was read";
    host.restart();
    host.issue(0, ata_command::read_log_ext, 0x10, 1, {{place(0), 512}});
    const Data log = host.memory(place(0), 512);
    EXPECT_EQ(log[0], 4) << "the tag";
    EXPECT_EQ(log[2], ata_status::drdy | ata_status::err);
    EXPECT_EQ(log[3], ata_error::unc);
    EXPECT_EQ(log[4], 41) << "the sector";
    EXPECT_EQ(std::accumulate(log.begin(), log.end(), 0u) & 0xff, 0u);
    read(5, 0);
    held.finish(0);
    EXPECT_EQ(host.read(PxSACT), 0u);
    EXPECT_EQ(host.status(), ata_status::drdy);
}

TEST_F(AhciQueueOrderTest, ACommandThatIsNotQueuedEndsTheQueue) {
    const auto& host = bench.on();
    read(1, 0);
    host.issue(2, ata_command::flush_cache_ext, 0, 0);
    EXPECT_NE(host.status() & ata_status::bsy, 0u) << "until all memory is free";
    held.finish(0);
    EXPECT_EQ(host.status(), ready | ata_status::err);
    EXPECT_EQ(host.error(), ata_error::abrt);
    EXPECT_TRUE(held.requests.empty()) << "nothing was flushed";
    host.restart();
    host.issue(0, ata_command::read_log_dma_ext, 0x10, 1, {{place(0), 512}});
    EXPECT_EQ(host.memory(place(0), 1), Data{0x80}) << "not a queued command";
}

TEST_F(AhciQueueOrderTest, StoppingTheListFreesAllMemory) {
    const auto& host = bench.on();
    read(0, 0);
    read(1, 1);
    host.put(place(0), Data(1024, 0xee));
    host.stop();
    EXPECT_TRUE(held.requests.empty());
    EXPECT_EQ(host.read(PxSACT), 0u);
    EXPECT_EQ(host.read(PxIS), 0u);
    host.restart();
    host.issue(3, ata_command::check_power_mode, 0, 0);
    EXPECT_EQ(host.error(), ata_error::abrt) << "to the drive they are not done";
    host.stop();
    host.write(PxSCTL, 1);
    host.write(PxSCTL, 0);
    host.start();
    read(0, 9);
    held.finish(0);
    EXPECT_EQ(host.memory(place(0), 512), bench.on_disk(9, 1));
}

TEST_F(AhciQueueOrderTest, ResetsForgetTheQueue) {
    const auto& host = bench.on();
    for (int kind = 0; kind < 2; ++kind) {
        read(0, 0);
        read(17, 1);
        if (kind == 0) {
            bench.slot.memory.write(abar + GHC, 4, ghc::hr);
        } else {
            host.stop();
            host.write(PxSCTL, 1);
            host.write(PxSCTL, 0);
        }
        EXPECT_TRUE(held.requests.empty());
        host.start();
        EXPECT_EQ(host.status(), ready);
        read(4, 5);
        held.finish(0);
        EXPECT_EQ(host.read(PxSACT), 0u);
        EXPECT_EQ(host.memory(place(4), 512), bench.on_disk(5, 1));
    }
}

TEST_F(AhciQueueOrderTest, SurvivesASnapshotWithRequestsInFlight) {
    bench.on();
    read(0, 30);
    read(5, 31, 2);

    AhciBench other;
    HeldBlock other_held{other.image};
    other.disk.connect("image", other_held);
    other.power_on();
    other.slot.memory.memory = bench.slot.memory.memory;
    other.disk.restore(bench.disk.save());
    other.controller.restore(bench.controller.save());
    EXPECT_EQ(testing::state_difference(bench.controller.save(), other.controller.save()), "");
    EXPECT_EQ(testing::state_difference(bench.disk.save(), other.disk.save()), "");
    EXPECT_EQ(other.host.read(PxSACT), 0x21u);
    other.disk.host().run_posted();
    ASSERT_EQ(other_held.requests.size(), 2u) << "they are asked for again";
    other_held.finish(1);
    other_held.finish(0);
    EXPECT_EQ(other.host.read(PxSACT), 0u);
    EXPECT_EQ(other.host.memory(place(0), 512), bench.on_disk(30, 1));
    EXPECT_EQ(other.host.memory(place(5), 1024), bench.on_disk(31, 2));
    EXPECT_TRUE(other.interrupt());

    held.finish(1);
    held.finish(0);
    EXPECT_EQ(testing::state_difference(bench.controller.save(), other.controller.save()), "");
    EXPECT_EQ(testing::state_difference(bench.disk.save(), other.disk.save()), "");
}

TEST(AhciQueueTest, WhatIsRefusedAtOnceIsARegisterFis) {
    AhciBench bench;
    const auto& host = bench.on();
    host.queue(2, read_fpdma_queued, 8191, 2, {{place(0), 1024}});
    EXPECT_EQ(host.status(), ready | ata_status::err);
    EXPECT_EQ(host.error(), ata_error::idnf);
    EXPECT_EQ(host.read(PxIS) & port_interrupt::tfes, port_interrupt::tfes);
    EXPECT_EQ(host.read(PxSACT), 4u);
    host.restart();
    host.issue(0, ata_command::read_log_ext, 0x10, 1, {{place(0), 512}});
    EXPECT_EQ(host.memory(place(0), 1), Data{2});
    EXPECT_EQ(host.memory(place(0) + 4, 2), (Data{0xff, 0x1f})) << "8191";
    bench.image.is_read_only = true;
    host.queue(2, write_fpdma_queued, 0, 1, {{place(0), 512}});
    EXPECT_EQ(host.error(), ata_error::wp);
}

TEST(AhciQueueTest, TakesTheAccessTimeOfTheDriveForEach) {
    AhciBench bench{{{"access-time", std::chrono::nanoseconds{2ms}}}};
    const auto& host = bench.on();
    host.queue(0, read_fpdma_queued, 0, 1, {{place(0), 512}});
    bench.clock.advance(1ms);
    host.queue(1, read_fpdma_queued, 1, 1, {{place(1), 512}});
    EXPECT_EQ(host.read(PxSACT), 3u);
    bench.clock.advance(1ms);
    EXPECT_EQ(host.read(PxSACT), 2u);
    bench.clock.advance(1ms);
    EXPECT_EQ(host.read(PxSACT), 0u);
}

TEST(AhciQueueTest, ManyRegionsAndLargeTransfersGoThroughInPieces) {
    AhciBench bench;
    const auto& host = bench.on();
    // 56 regions of odd places and sizes, 2 MiB in all but the last.
    std::vector<Region> regions;
    std::uint64_t at = data_address;
    for (unsigned index = 0; index < 55; ++index) {
        regions.push_back({at, 30002});
        at += 30002;
    }
    regions.push_back({at, 4096 * 512 - 55 * 30002});
    host.queue(31, read_fpdma_queued, 1, 4096, regions);
    EXPECT_EQ(host.read(PxSACT), 0u);
    EXPECT_EQ(host.memory(data_address, 4096 * 512), bench.on_disk(1, 4096));
}

// ---- Drives that come and go

TEST(AhciHotPlugTest, ADriveThatVanishesIsTold) {
    AhciBench bench;
    const auto& host = bench.on();
    HeldBlock held{bench.image};
    bench.image.change_medium(std::nullopt);
    EXPECT_EQ(host.read(PxSSTS), 0u);
    EXPECT_EQ(host.read(PxSERR), port_error::n);
    EXPECT_EQ(host.read(PxIS), port_interrupt::prcs);
    EXPECT_TRUE(bench.interrupt());
    EXPECT_EQ(host.status(), 0x7fu);
    host.issue(0, ata_command::identify_device, 0, 0, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 1u) << "nobody answers";

    bench.image.change_medium(Data(100 * 512, 0x42));
    EXPECT_EQ(host.read(PxSSTS), 0x123u);
    EXPECT_EQ(host.read(PxSERR), port_error::n | port_error::x);
    EXPECT_EQ(host.read(PxIS) & port_interrupt::pcs, port_interrupt::pcs);
    EXPECT_EQ(host.read(PxSIG), 0x101u);
    host.restart();
    host.issue(0, ata_command::identify_device, 0, 0, {{data_address, 512}});
    EXPECT_EQ(host.memory(data_address + 200, 2), (Data{100, 0})) << "its sectors";
    host.queue(0, read_fpdma_queued, 99, 1, {{data_address, 512}});
    EXPECT_EQ(host.memory(data_address, 512), Data(512, 0x42));
}

TEST(AhciHotPlugTest, CommandsOfADriveThatVanishesFail) {
    AhciBench bench{{{"access-time", std::chrono::nanoseconds{1ms}}}};
    const auto& host = bench.on();
    host.queue(3, read_fpdma_queued, 0, 1, {{data_address, 512}});
    bench.image.change_medium(std::nullopt);
    EXPECT_EQ(host.read(PxSERR), port_error::n | port_error::c);
    EXPECT_EQ(host.read(PxIS), port_interrupt::prcs | port_interrupt::ifs);
    EXPECT_EQ(host.read(PxSACT), 8u);
    host.restart();
    EXPECT_EQ(host.read(PxSACT), 0u);
    bench.clock.advance(1s);
}

TEST(AhciHotPlugTest, ADriveThatIsPluggedInLaterStartsFromAnEmptyBay) {
    AhciBench bench;
    bench.image.has_medium = false;
    bench.image.bytes.clear();
    const auto& host = bench.on();
    EXPECT_EQ(host.read(PxSSTS), 0u);
    bench.image.change_medium(Data(300 * 512, 1));
    EXPECT_EQ(host.read(PxSSTS), 0x123u);
    EXPECT_EQ(host.read(PxIS), port_interrupt::prcs | port_interrupt::pcs);
    host.restart();
    host.issue(0, ata_command::read_dma_ext, 299, 1, {{data_address, 512}});
    EXPECT_EQ(host.status(), ready);
}

TEST(AhciHotPlugTest, AnotherMediumIsAnotherDrive) {
    AhciBench bench;
    const auto& host = bench.on();
    bench.image.change_medium(Data(50 * 512, 9));
    EXPECT_EQ(host.read(PxSERR), port_error::n | port_error::x);
    EXPECT_EQ(host.read(PxSSTS), 0x123u);
    bench.cd_image.change_medium(Data(50 * 2048, 9));
    EXPECT_EQ(bench.cd_host.read(PxSSTS), 0x123u) << "a CD-ROM drive stays";
}

}  // namespace
}  // namespace backplane::storage
