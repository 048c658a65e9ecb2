// What a driver sees of an AHCI adapter and its ports: registers, links, resets, interrupts, and
// commands that are not queued. (Serial ATA AHCI 1.3.1)
#include "ahci_bench.h"

#include <gmock/gmock.h>

namespace backplane::storage {
namespace {

using namespace ahci;

TEST(AhciControllerTest, IsTheIch9sInConfigurationSpace) {
    AhciBench bench;
    bench.power_on();
    EXPECT_EQ(bench.slot.read_config(0), 0x29228086u);
    EXPECT_EQ(bench.slot.read_config(8) >> 8, 0x010601u);
    EXPECT_EQ(bench.slot.bar_size(5), 0x2000u);
    EXPECT_EQ(bench.slot.bar_size(4), 32u);
    EXPECT_EQ(bench.slot.read_config(0x90, 1), 0x40u) << "AHCI mode";
    std::vector<unsigned> ids;
    for (unsigned at = bench.slot.read_config(0x34, 1); at != 0;
         at = bench.slot.read_config(at + 1, 1)) {
        ids.push_back(bench.slot.read_config(at, 1));
        if (ids.back() == 0x12) {
            EXPECT_EQ(bench.slot.read_config(at + 4), 0x48u) << "behind bar 4, at 0x10";
        }
    }
    EXPECT_THAT(ids, ::testing::UnorderedElementsAre(0x01, 0x05, 0x12));
}

TEST(AhciControllerTest, SaysWhatItHas) {
    AhciBench bench{{}, {{"ports", 4}}};
    bench.power_on();
    EXPECT_EQ(bench.generic(CAP) & 0x1f, 3u);
    EXPECT_EQ(bench.generic(CAP) >> 8 & 0x1f, 31u);
    EXPECT_EQ(bench.generic(CAP) & (cap::sncq | cap::s64a | cap::sam | cap::sclo),
              cap::sncq | cap::s64a | cap::sam | cap::sclo);
    EXPECT_EQ(bench.generic(PI), 0xfu);
    EXPECT_EQ(bench.generic(VS), 0x10301u);
    EXPECT_EQ(bench.generic(GHC), ghc::ae);
    bench.slot.memory.write(abar + GHC, 4, 0);
    EXPECT_EQ(bench.generic(GHC), ghc::ae) << "there is nothing else";
    EXPECT_EQ(bench.slot.memory.read(abar + ports + 4 * port_size + PxCMD), 0u) << "no port 4";
}

TEST(AhciControllerTest, RefusesADriveAtAPortThatIsNotThere) {
    AhciBench bench{{}, {{"ports", 1}}};
    ASSERT_TRUE(bench.disk.power_on() && bench.cdrom.power_on());
    EXPECT_FALSE(bench.controller.power_on());
    EXPECT_THAT(bench.controller.failure(), ::testing::HasSubstr("port1"));
}

TEST(AhciControllerTest, AccessesOfAnySizeReachTheRegisters) {
    AhciBench bench;
    bench.power_on();
    const std::uint64_t clb = abar + ports + PxCLB;
    bench.slot.memory.write(clb, 8, 0x1122334455667788);
    EXPECT_EQ(bench.slot.memory.read(clb, 8), 0x1122334455667400u);
    bench.slot.memory.write(clb + 5, 1, 0xaa);
    EXPECT_EQ(bench.slot.memory.read(clb + 4), 0x1122aa44u);
    bench.slot.memory.write(clb + 2, 2, 0xbbcc);
    EXPECT_EQ(bench.slot.memory.read(clb), 0xbbcc7400u);
    EXPECT_EQ(bench.slot.memory.read(clb + 3, 2), 0x44bbu);
}

TEST(AhciControllerTest, IndexAndDataReachTheRegistersToo) {
    AhciBench bench;
    bench.power_on();
    bench.slot.write_config(0x20, 4, 0xc000);
    bench.slot.io.write(0xc010, 4, ports + PxSIG);
    EXPECT_EQ(bench.slot.io.read(0xc014), 0x101u);
    bench.slot.io.write(0xc010, 4, ports + PxFB);
    bench.slot.io.write(0xc014, 4, 0x12345678);
    EXPECT_EQ(bench.host.read(PxFB), 0x12345600u);
    bench.slot.io.write(0xc010, 4, 0xffffffff);
    EXPECT_EQ(bench.slot.io.read(0xc010), 0x1ffcu);
    EXPECT_EQ(bench.slot.io.read(0xc014), 0u) << "nothing there";
}

TEST(AhciPortTest, ShowsTheDriveAfterPowerOn) {
    AhciBench bench;
    bench.power_on();
    EXPECT_EQ(bench.host.read(PxSSTS), 0x123u);
    EXPECT_EQ(bench.host.read(PxSIG), 0x00000101u);
    EXPECT_EQ(bench.host.status(), ready);
    EXPECT_EQ(bench.host.error(), diagnostic_passed);
    EXPECT_EQ(bench.host.read(PxSERR), port_error::x | port_error::n);
    EXPECT_EQ(bench.host.read(PxIS) & (port_interrupt::pcs | port_interrupt::prcs),
              port_interrupt::pcs | port_interrupt::prcs);
    EXPECT_EQ(bench.cd_host.read(PxSIG), 0xeb140101u);
    const AhciHost empty{bench.slot, 2};
    EXPECT_EQ(empty.read(PxSSTS), 0u);
    EXPECT_EQ(empty.read(PxSIG), 0xffffffffu);
    EXPECT_EQ(empty.status(), 0x7fu);
}

TEST(AhciPortTest, TheSignatureIsWrittenOnceFisesAreReceived) {
    AhciBench bench;
    bench.power_on();
    bench.host.write(PxFB, static_cast<std::uint32_t>(bench.host.received));
    EXPECT_EQ(bench.host.received_fis(received_register, 2), (Data{0, 0}));
    bench.host.write(PxCMD, port_command::fre);
    EXPECT_EQ(bench.host.read(PxCMD) & (port_command::fre | port_command::fr),
              port_command::fre | port_command::fr);
    EXPECT_EQ(bench.host.received_fis(received_register, 13),
              (Data{0x34, 0, ready, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}));
}

TEST(AhciPortTest, IdentifiesByPio) {
    AhciBench bench{{{"serial", "SN 1"}, {"model", "A model"}}};
    const auto& host = bench.on();
    host.issue(0, ata_command::identify_device, 0, 0, {{data_address, 512, true}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(host.transferred(0), 512u);
    const Data fis = host.received_fis(received_pio_setup, 20);
    EXPECT_EQ(fis[0], 0x5f);
    EXPECT_EQ(fis[1], 0x60) << "to the host, interrupt";
    EXPECT_EQ(fis[2], ready | ata_status::drq);
    EXPECT_EQ(fis[15], ready) << "the ending status";
    EXPECT_EQ(fis[16] | fis[17] << 8, 512);
    EXPECT_EQ(host.read(PxIS), port_interrupt::pss | port_interrupt::dps);
    EXPECT_TRUE(bench.interrupt());
    const Data words = host.memory(data_address, 512);
    const auto word = [&](std::size_t index) {
        return words[index * 2] | words[index * 2 + 1] << 8;
    };
    EXPECT_EQ(word(27), 'A' << 8 | ' ');
    EXPECT_EQ(word(75), 31) << "queue depth";
    EXPECT_EQ(word(76), 0x0306) << "queued commands, 1.5 and 3 Gbit/s, power management";
    EXPECT_EQ(word(93), 0) << "no parallel cable";
    EXPECT_EQ(word(222) >> 12, 1) << "a serial one";
    EXPECT_EQ(std::accumulate(words.begin(), words.end(), 0u) & 0xff, 0u);
}

TEST(AhciPortTest, ReadsIntoRegionsOfAnyEvenSizeWithoutACopy) {
    AhciBench bench;
    const auto& host = bench.on();
    host.issue(
        3, ata_command::read_dma_ext, 100, 5,
        {{data_address + 2, 2}, {data_address + 0x1000, 1534}, {data_address + 0x3000, 1024}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.transferred(3), 2560u);
    EXPECT_EQ(host.read(PxIS), port_interrupt::dhrs);
    Data data = host.memory(data_address + 2, 2);
    for (const auto& [address, length] :
         {std::pair{data_address + 0x1000, 1534u}, std::pair{data_address + 0x3000, 1024u}}) {
        const Data part = host.memory(address, length);
        data.insert(data.end(), part.begin(), part.end());
    }
    EXPECT_EQ(data, bench.on_disk(100, 5));
    ASSERT_EQ(bench.image.requests.size(), 1u) << "all at once";
    const Data fis = host.received_fis(received_register, 20);
    EXPECT_EQ(fis[0], 0x34);
    EXPECT_EQ(fis[1], 0x40) << "interrupt";
    EXPECT_EQ(fis[2], ready);
}

TEST(AhciPortTest, WritesFromMemory) {
    AhciBench bench;
    const auto& host = bench.on();
    Data data(64 * 512);
    std::iota(data.begin(), data.end(), std::uint8_t{3});
    host.put(data_address, data);
    host.issue(0, ata_command::write_dma_ext, 8000, 64, {{data_address, 64 * 512}});
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(bench.on_disk(8000, 64), data);
    host.issue(0, ata_command::write_sectors_ext, 10, 3, {{data_address, 1536}});
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(bench.on_disk(10, 3), Data(data.begin(), data.begin() + 1536));
    EXPECT_EQ(host.read(PxIS) & port_interrupt::pss, port_interrupt::pss)
        << "of the blocks behind the first";
    bench.image.requests.clear();
    host.issue(0, ata_command::write_dma_fua_ext, 0, 1, {{data_address, 512}});
    host.issue(0, ata_command::flush_cache_ext, 0, 0);
    EXPECT_EQ(bench.image.requests,
              (std::vector<FakeBlock::Request>{
                  {BACKPLANE_BLOCK_WRITE, BACKPLANE_BLOCK_FORCE_ACCESS, 0, 512},
                  {BACKPLANE_BLOCK_FLUSH, 0, 0, 0}}));
}

TEST(AhciPortTest, MemoryThatIsNotPlainIsReachedThroughACopy) {
    AhciBench bench;
    const auto& host = bench.on();
    // The second half goes to where there is no memory, and is lost.
    const std::uint64_t end = bench.slot.memory.memory.size();
    host.issue(0, ata_command::read_dma_ext, 0, 2, {{end - 512, 1024}});
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(host.memory(end - 512, 512), bench.on_disk(0, 1));
    host.issue(0, ata_command::write_dma_ext, 0, 1, {{end, 512}});
    EXPECT_EQ(bench.on_disk(0, 1), Data(512, 0xff)) << "what nobody answers reads so";
}

TEST(AhciPortTest, ItsOwnRegistersAreNoPlaceForData) {
    AhciBench bench;
    const auto& host = bench.on();
    // A sector full of ones into the adapter's registers, where they would reset it.
    bench.image.bytes.assign(bench.image.bytes.size(), 0xff);
    host.issue(0, ata_command::read_dma_ext, 0, 1, {{abar, 512}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(bench.generic(GHC), ghc::ae | ghc::ie);
    EXPECT_EQ(host.read(PxCLB), host.list);
    // Nor for FISes.
    host.stop();
    host.write(PxFB, static_cast<std::uint32_t>(abar));
    host.restart();
    host.issue(0, ata_command::read_sectors_ext, 0, 1, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(bench.generic(GHC), ghc::ae | ghc::ie);
}

TEST(AhciPortTest, SlotsAreTakenInTurn) {
    AhciBench bench;
    const auto& host = bench.on();
    bench.image.holds = true;
    for (const unsigned tag : {0u, 5u, 2u})
        host.issue(tag, ata_command::read_dma_ext, tag, 1, {{data_address + tag * 512, 512}});
    EXPECT_EQ(host.read(PxCI), 0x25u);
    EXPECT_EQ(host.read(PxCMD) & port_command::ccs, 0u);
    EXPECT_EQ(host.status() & ata_status::bsy, ata_status::bsy);
    ASSERT_TRUE(bench.image.finish_one());
    EXPECT_EQ(host.read(PxCI), 0x24u);
    EXPECT_EQ(host.read(PxCMD) >> 8 & 0x1f, 2u);
    bench.image.finish_all();
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.memory(data_address + 5 * 512, 512), bench.on_disk(5, 1));
}

TEST(AhciPortTest, AnErrorStopsTheListUntilItIsRestarted) {
    AhciBench bench;
    const auto& host = bench.on();
    bench.image.bad = {102 * 512, 103 * 512};
    host.issue(1, ata_command::read_dma_ext, 100, 8, {{data_address, 8 * 512}});
    EXPECT_EQ(host.status(), ready | ata_status::err);
    EXPECT_EQ(host.error(), ata_error::unc);
    EXPECT_EQ(host.read(PxIS), port_interrupt::dhrs | port_interrupt::tfes);
    EXPECT_EQ(host.read(PxCI), 2u) << "the failed one stays";
    EXPECT_EQ(host.received_fis(received_register + 4, 1), Data{102}) << "which sector it was";
    EXPECT_EQ(host.memory(data_address, 1024), bench.on_disk(100, 2)) << "what is before it";
    host.issue(2, ata_command::read_dma_ext, 0, 1, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 6u);
    host.restart();
    EXPECT_EQ(host.read(PxCI), 0u);
    host.issue(2, ata_command::read_dma_ext, 0, 1, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(host.memory(data_address, 512), bench.on_disk(0, 1));
}

TEST(AhciPortTest, MoreDataThanMemoryIsAnOverflow) {
    AhciBench bench;
    const auto& host = bench.on();
    for (const auto opcode : {ata_command::read_dma_ext, ata_command::read_sectors_ext}) {
        host.issue(0, opcode, 0, 4, {{data_address, 700}});
        EXPECT_EQ(host.read(PxIS) & port_interrupt::ofs, port_interrupt::ofs) << int{opcode};
        EXPECT_EQ(host.read(PxCI), 1u);
        EXPECT_NE(host.status() & ata_status::bsy, 0u) << "until a reset";
        host.stop();
        host.write(PxSCTL, 1);
        host.write(PxSCTL, 0);
        host.start();
        host.acknowledge();
        EXPECT_EQ(host.status(), ready);
    }
}

TEST(AhciPortTest, NothingHappensBeforeTheFunctionIsBusMaster) {
    AhciBench bench;
    const auto& host = bench.on();
    bench.slot.write_config(4, 2, 2);
    host.write(PxCI, 1);
    EXPECT_EQ(host.read(PxCI), 1u);
    host.prepare(0, AhciHost::fis(ata_command::read_dma_ext, 0, 1), {{data_address, 512}});
    bench.slot.write_config(4, 2, 6);
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.memory(data_address, 512), bench.on_disk(0, 1));
}

TEST(AhciPortTest, CommandsAreOnlyTakenWhileTheListIsProcessed) {
    AhciBench bench;
    const auto& host = bench.on();
    host.stop();
    EXPECT_EQ(host.read(PxCMD) & (port_command::st | port_command::cr), 0u);
    host.issue(0, ata_command::read_dma_ext, 0, 1, {{data_address, 512}});
    host.write(PxSACT, 1);
    EXPECT_EQ(host.read(PxCI) | host.read(PxSACT), 0u);
}

TEST(AhciPortTest, AFisThatDevicesDoNotTakeFailsTheLink) {
    AhciBench bench;
    const auto& host = bench.on();
    auto fis = AhciHost::fis(ata_command::read_dma_ext, 0, 1);
    fis[0] = 0x46;
    host.prepare(0, fis, {{data_address, 512}});
    host.write(PxCI, 1);
    EXPECT_EQ(host.read(PxIS), port_interrupt::ifs);
    EXPECT_EQ(host.read(PxSERR), port_error::h);
    EXPECT_EQ(host.read(PxCI), 1u);
    host.restart();
    host.issue(0, ata_command::read_dma_ext, 0, 1, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 0u);
}

TEST(AhciPortTest, ASoftResetShowsTheSignature) {
    AhciBench bench;
    const auto& host = bench.on();
    constexpr std::uint32_t reset_and_clear_busy = 1u << 8 | 1u << 10;
    host.control(0, device_control::srst, reset_and_clear_busy);
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.status() & ata_status::bsy, 0u);
    host.acknowledge();
    host.control(1, 0, 0);
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.status(), ready);
    EXPECT_EQ(host.received_fis(received_register, 13),
              (Data{0x34, 0, ready, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}));
    EXPECT_EQ(host.read(PxIS), 0u) << "without an interrupt";
}

TEST(AhciPortTest, AHungDriveIsFreedByCommandListOverrideAndASoftReset) {
    AhciBench bench;
    const auto& host = bench.on();
    bench.image.holds = true;
    host.issue(0, ata_command::read_verify_sectors_ext, 0, 1);
    host.stop();
    EXPECT_NE(host.status() & ata_status::bsy, 0u);
    host.write(PxCMD, host.read(PxCMD) | port_command::clo);
    EXPECT_EQ(host.status() & ata_status::bsy, 0u);
    EXPECT_EQ(host.read(PxCMD) & port_command::clo, 0u);
    host.write(PxCMD, host.read(PxCMD) | port_command::st);
    host.control(0, device_control::srst, 1u << 8 | 1u << 10);
    host.control(1, 0, 0);
    EXPECT_EQ(host.status(), ready);
    bench.image.holds = false;
    host.issue(2, ata_command::read_dma_ext, 0, 1, {{data_address, 512}});
    EXPECT_EQ(host.read(PxCI), 0u);
    EXPECT_EQ(host.memory(data_address, 512), bench.on_disk(0, 1));
}

TEST(AhciPortTest, AComresetBringsTheLinkDownAndUp) {
    AhciBench bench;
    const auto& host = bench.on();
    host.write(PxSCTL, 1);
    EXPECT_EQ(host.read(PxSSTS), 0x123u) << "not while the list is processed";
    host.stop();
    host.write(PxSCTL, 0);
    bench.image.holds = true;
    host.write(PxSCTL, 1);
    EXPECT_EQ(host.read(PxSSTS), 0u);
    EXPECT_EQ(host.status(), 0x7fu);
    EXPECT_EQ(host.read(PxSIG), 0xffffffffu);
    EXPECT_EQ(host.read(PxSERR), port_error::n);
    host.write(PxSCTL, 0x10);
    EXPECT_EQ(host.read(PxSSTS), 0x113u) << "no faster than it was asked for";
    EXPECT_EQ(host.read(PxSIG), 0x101u);
    EXPECT_EQ(host.read(PxSERR), port_error::n | port_error::x);
    host.write(PxSCTL, 4);
    EXPECT_EQ(host.read(PxSSTS), 4u) << "off";
    host.write(PxSCTL, 0);
    EXPECT_EQ(host.read(PxSSTS), 0x123u);
}

TEST(AhciPortTest, TheLinkRestsWhenAskedToAndWakesForACommand) {
    AhciBench bench;
    const auto& host = bench.on();
    const auto ask = [&](std::uint32_t state) {
        host.write(PxCMD, (host.read(PxCMD) & ~port_command::icc) | state << 28);
        return host.read(PxSSTS) >> 8;
    };
    EXPECT_EQ(ask(2), 2u);
    EXPECT_EQ(host.read(PxCMD) & port_command::icc, 0u) << "done";
    EXPECT_EQ(ask(1), 1u);
    EXPECT_EQ(ask(6), 6u);
    host.issue(0, ata_command::check_power_mode, 0, 0);
    EXPECT_EQ(host.read(PxSSTS) >> 8, 1u);
    host.write(PxSCTL, 0x300);
    EXPECT_EQ(ask(2), 1u) << "forbidden";
    EXPECT_EQ(ask(6), 1u);
}

TEST(AhciPortTest, InterruptsStayUntilThePortsAreAcknowledged) {
    AhciBench bench;
    const auto& host = bench.on();
    host.issue(0, ata_command::check_power_mode, 0, 0);
    EXPECT_TRUE(bench.interrupt());
    EXPECT_EQ(bench.generic(IS), 1u);
    bench.slot.memory.write(abar + IS, 4, 1);
    EXPECT_TRUE(bench.interrupt()) << "the port still does";
    host.write(PxIS, port_interrupt::dhrs);
    EXPECT_TRUE(bench.interrupt());
    bench.slot.memory.write(abar + IS, 4, 1);
    EXPECT_FALSE(bench.interrupt());
    host.issue(0, ata_command::check_power_mode, 0, 0);
    bench.slot.memory.write(abar + GHC, 4, ghc::ae);
    EXPECT_FALSE(bench.interrupt());
    host.acknowledge();
    host.write(PxIE, 0);
    bench.slot.memory.write(abar + GHC, 4, ghc::ae | ghc::ie);
    host.issue(0, ata_command::check_power_mode, 0, 0);
    EXPECT_EQ(host.read(PxIS), port_interrupt::dhrs);
    EXPECT_FALSE(bench.interrupt());
    host.write(PxIE, port_interrupt::dhrs);
    EXPECT_TRUE(bench.interrupt());
}

TEST(AhciPortTest, SendsAMessageForEachPortThatBeginsToInterrupt) {
    AhciBench bench;
    const auto& host = bench.on();
    unsigned at = bench.slot.read_config(0x34, 1);
    while (bench.slot.read_config(at, 1) != 0x05)
        at = bench.slot.read_config(at + 1, 1);
    bench.slot.write_config(at + 4, 4, 0xfee00000);
    bench.slot.write_config(at + 12, 2, 0x41);
    bench.slot.write_config(at + 2, 2, 1);
    host.issue(0, ata_command::check_power_mode, 0, 0);
    EXPECT_FALSE(bench.interrupt());
    EXPECT_EQ(bench.slot.messages, (std::vector<FakePciSlot::Message>{{0xfee00000, 0x41}}));
    host.issue(0, ata_command::check_power_mode, 0, 0);
    EXPECT_EQ(bench.slot.messages.size(), 1u) << "it still does";
    host.write(PxIS, ~0u);
    host.issue(0, ata_command::check_power_mode, 0, 0);
    bench.slot.memory.write(abar + IS, 4, 1);
    EXPECT_EQ(bench.slot.messages.size(), 2u) << "what came in between is not lost";
}

TEST(AhciPortTest, AResetOfTheAdapterKeepsTheAddresses) {
    AhciBench bench;
    const auto& host = bench.on();
    host.issue(0, ata_command::check_power_mode, 0, 0);
    bench.slot.memory.write(abar + GHC, 4, ghc::hr);
    EXPECT_EQ(bench.generic(GHC), ghc::ae);
    EXPECT_EQ(bench.generic(IS), 0u);
    EXPECT_FALSE(bench.interrupt());
    EXPECT_EQ(host.read(PxCLB), host.list);
    EXPECT_EQ(host.read(PxIE), 0u);
    EXPECT_EQ(host.read(PxCMD) & (port_command::st | port_command::fre), 0u);
    EXPECT_EQ(host.read(PxSSTS), 0x123u);
    EXPECT_EQ(host.read(PxSIG), 0x101u);
    bench.controller.reset();
    bench.slot.write_config(0x24, 4, static_cast<std::uint32_t>(abar));
    bench.slot.enable();
    EXPECT_EQ(host.read(PxCLB), 0u);
}

TEST(AhciPortTest, ReadsTheCdByPacketsOfEitherProtocol) {
    AhciBench bench;
    const auto& host = bench.on_cd();
    const std::array<std::uint8_t, 12> read{packet_command::read_10, 0, 0, 0, 0, 7, 0, 0, 3};
    for (const bool dma : {false, true}) {
        host.put(data_address, Data(3 * 2048, 0));
        host.packet(4, read, {{data_address, 2048}, {data_address + 2048, 2 * 2048}}, dma);
        EXPECT_EQ(host.read(PxCI), 0u) << dma;
        EXPECT_EQ(host.status(), ready);
        EXPECT_EQ(host.transferred(4), 3u * 2048);
        EXPECT_EQ(host.memory(data_address, 3 * 2048),
                  Data(bench.cd_image.bytes.begin() + 7 * 2048,
                       bench.cd_image.bytes.begin() + 10 * 2048));
        EXPECT_EQ(host.read(PxIS) & port_interrupt::dhrs, port_interrupt::dhrs);
    }
}

TEST(AhciPortTest, APacketThatFailsIsATaskFileError) {
    AhciBench bench;
    const auto& host = bench.on_cd();
    host.packet(0, std::array<std::uint8_t, 12>{packet_command::read_10, 0, 0x7f, 0, 0, 0, 0, 0, 1},
                {{data_address, 2048}}, true);
    EXPECT_EQ(host.status() & ata_status::err, ata_status::err);
    EXPECT_EQ(host.error() >> 4, 5u) << "illegal request";
    EXPECT_EQ(host.read(PxIS) & port_interrupt::tfes, port_interrupt::tfes);
    host.restart();
    host.packet(0, std::array<std::uint8_t, 12>{packet_command::request_sense, 0, 0, 0, 18},
                {{data_address, 18}}, false);
    EXPECT_EQ(host.memory(data_address + 12, 1), Data{0x21}) << "out of range";
}

}  // namespace
}  // namespace backplane::storage
