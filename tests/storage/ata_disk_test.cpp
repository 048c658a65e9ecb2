// What a driver sees of a disk, command by command. (ATA/ATAPI-6 and 7)
#include "ide_bench.h"

#include <chrono>

namespace backplane::storage {
namespace {

using namespace std::chrono_literals;

TEST(AtaDiskTest, ShowsTheSignatureOfADiskAfterPowerOn) {
    DiskBench bench;
    const auto& port = bench.on();
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.error(), diagnostic_passed);
    EXPECT_EQ(port.count(), 1);
    EXPECT_EQ(port.lba24(), ata_signature);
    EXPECT_FALSE(bench.port->irq());
}

TEST(AtaDiskTest, IdentifyHasGeometrySizesAndTexts) {
    DiskBench bench{40960,
                    {{"serial", "SN 1"},
                     {"model", "A model"},
                     {"firmware", "2.5"},
                     {"wwn", 0x5000c50012345678u}}};
    const auto& port = bench.on();
    const auto words = port.identify();
    ASSERT_EQ(words.size(), 256u);
    EXPECT_EQ(words[0] & 0x8000, 0) << "ATA";
    EXPECT_EQ(words[1], 40);
    EXPECT_EQ(words[3], 16);
    EXPECT_EQ(words[6], 63);
    EXPECT_EQ(identify_text(words, 10, 10), "SN 1                ");
    EXPECT_EQ(identify_text(words, 23, 4), "2.5     ");
    EXPECT_EQ(identify_text(words, 27, 20), "A model                                 ");
    EXPECT_EQ(words[47], 0x8010);
    EXPECT_EQ(words[49] & 0x0300, 0x0300) << "LBA and DMA";
    EXPECT_EQ(words[60] | words[61] << 16, 40960);
    EXPECT_EQ(words[100], 40960);
    EXPECT_EQ(words[83] & 0xc400, 0x4400) << "48-bit addresses";
    EXPECT_EQ(words[88] & 0xff, 0x3f);
    EXPECT_EQ(words[108], 0x5000);
    EXPECT_EQ(words[111], 0x5678);
    EXPECT_EQ(words[169], 1) << "TRIM";
    unsigned sum = 0;
    for (const auto word : words)
        sum += (word & 0xff) + (word >> 8);
    EXPECT_EQ(sum & 0xff, 0u);
    EXPECT_EQ(port.status(), ready);
}

TEST(AtaDiskTest, TheSerialNumberIsTheDevicesNameUnlessItIsGiven) {
    DiskBench bench;
    EXPECT_EQ(identify_text(bench.on().identify(), 10, 10), "device              ");
}

TEST(AtaDiskTest, ReadsSectorsOneInterruptEach) {
    DiskBench bench;
    auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 5, 3);
    for (int sector = 5; sector < 8; ++sector) {
        EXPECT_TRUE(port.irq()) << sector;
        EXPECT_EQ(port.alternate_status(), has_data);
        EXPECT_TRUE(port.irq()) << "the alternate status leaves it";
        EXPECT_EQ(port.status(), has_data);
        EXPECT_FALSE(port.irq());
        EXPECT_EQ(port.read_block(512),
                  slice(bench.image, static_cast<std::size_t>(sector) * 512, 512));
    }
    EXPECT_FALSE(port.irq()) << "none after the last data";
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(bench.controller.rises("primary-irq"), 3u);
    EXPECT_EQ(bench.image.requests.size(), 1u) << "the image is asked once";
}

TEST(AtaDiskTest, ACountOfZeroIs256Sectors) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 100, 0);
    EXPECT_EQ(port.read_block(256 * 512), slice(bench.image, 100 * 512, 256 * 512));
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.read_block(2), (Data{0, 0})) << "nothing more";
}

TEST(AtaDiskTest, DoubleWordsAtTheDataRegisterAreTwoWords) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 0, 1);
    for (unsigned at = 0; at < 512; at += 4) {
        const auto& bytes = bench.image.bytes;
        ASSERT_EQ(port.command.read32(0), bytes[at] | bytes[at + 1] << 8 | bytes[at + 2] << 16 |
                                              static_cast<std::uint32_t>(bytes[at + 3]) << 24);
    }
    EXPECT_EQ(port.status(), ready);
}

TEST(AtaDiskTest, WritesSectorsWithoutAnInterruptForTheFirst) {
    DiskBench bench;
    auto& port = bench.on();
    Data data(3 * 512);
    std::iota(data.begin(), data.end(), std::uint8_t{1});
    port.issue28(ata_command::write_sectors, 9, 3);
    EXPECT_EQ(port.status(), has_data);
    EXPECT_FALSE(port.irq());
    for (int sector = 0; sector < 3; ++sector) {
        port.write_block(std::span{data}.subspan(static_cast<std::size_t>(sector) * 512, 512));
        EXPECT_TRUE(port.irq());
        EXPECT_EQ(port.status(), sector < 2 ? has_data : ready);
    }
    EXPECT_EQ(slice(bench.image, 9 * 512, 3 * 512), data);
}

TEST(AtaDiskTest, MultipleMovesBlocksOfTheSizeThatWasSet) {
    DiskBench bench;
    auto& port = bench.on();
    port.issue28(ata_command::read_multiple, 0, 4);
    EXPECT_EQ(port.status(), failed) << "not set";
    EXPECT_EQ(port.error(), ata_error::abrt);
    port.command.write8(2, 3);
    port.issue(ata_command::set_multiple_mode);
    EXPECT_EQ(port.status(), failed) << "not a power of two";
    port.command.write8(2, 8);
    port.issue(ata_command::set_multiple_mode);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.identify()[59], 0x108);
    (void)bench.controller.rises("primary-irq");
    port.issue28(ata_command::read_multiple, 16, 20);
    for (const std::size_t sectors : {8u, 8u, 4u}) {
        EXPECT_TRUE(port.irq());
        EXPECT_EQ(port.status(), has_data);
        (void)port.read_block(sectors * 512);
    }
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(bench.controller.rises("primary-irq"), 3u);
    const Data data(12 * 512, 0x5a);
    port.issue28(ata_command::write_multiple, 32, 12);
    port.write_block(std::span{data}.first(8 * 512));
    EXPECT_EQ(port.status(), has_data);
    port.write_block(std::span{data}.first(4 * 512));
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(slice(bench.image, 32 * 512, 12 * 512), data);
}

TEST(AtaDiskTest, FortyEightBitAddressesAndCountsGoThroughTheRegistersTwice) {
    DiskBench bench{0x30000};
    const auto& port = bench.on();
    port.issue48(ata_command::read_sectors_ext, 0x1fff0, 0x101);
    EXPECT_EQ(port.read_block(0x101 * 512), slice(bench.image, 0x1fff0ull * 512, 0x101 * 512));
    EXPECT_EQ(port.status(), ready);
    port.issue48(ata_command::read_verify_sectors_ext, 0x0000123456789abcull, 1);
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::idnf);
    EXPECT_EQ(port.lba24(), 0x789abcu);
    port.control.write8(0, device_control::hob);
    EXPECT_EQ(port.lba24(), 0x123456u);
    port.command.write8(2, 0);
    EXPECT_EQ(port.lba24() & 0xffff00, 0x789a00u) << "a write ends it";
}

TEST(AtaDiskTest, CylindersHeadsAndSectorsAreThoseThatWereSet) {
    DiskBench bench{40960};
    const auto& port = bench.on();
    const auto read_chs = [&](unsigned cylinder, unsigned head, unsigned sector) {
        port.command.write8(6, static_cast<std::uint8_t>(0xa0 | head));
        port.command.write8(2, 1);
        port.command.write8(3, static_cast<std::uint8_t>(sector));
        port.command.write8(4, static_cast<std::uint8_t>(cylinder));
        port.command.write8(5, static_cast<std::uint8_t>(cylinder >> 8));
        port.issue(ata_command::read_sectors);
    };
    read_chs(2, 3, 4);
    EXPECT_EQ(port.read_block(512), slice(bench.image, ((2 * 16 + 3) * 63 + 3) * 512, 512));
    port.command.write8(6, 0xa0 | 7);
    port.command.write8(2, 32);
    port.issue(ata_command::initialize_device_parameters);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.identify()[54], 40960 / (8 * 32));
    read_chs(2, 3, 4);
    EXPECT_EQ(port.read_block(512), slice(bench.image, ((2 * 8 + 3) * 32 + 3) * 512, 512));
    for (const auto& [cylinder, head, sector] :
         {std::array{0, 0, 0}, std::array{0, 8, 1}, std::array{0, 0, 33}, std::array{160, 0, 1}}) {
        read_chs(static_cast<unsigned>(cylinder), static_cast<unsigned>(head),
                 static_cast<unsigned>(sector));
        EXPECT_EQ(port.status(), failed);
        EXPECT_EQ(port.error(), ata_error::idnf);
    }
    port.command.write8(2, 0);
    port.issue(ata_command::initialize_device_parameters);
    EXPECT_EQ(port.error(), ata_error::abrt) << "no sectors";
}

TEST(AtaDiskTest, ARangeBeyondTheEndIsNotFound) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 2047, 2);
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::idnf);
    EXPECT_EQ(port.lba24(), 2048u);
    port.issue28(ata_command::write_sectors, 2048, 1);
    EXPECT_EQ(port.error(), ata_error::idnf);
    port.issue28(ata_command::read_sectors, 2047, 1);
    EXPECT_EQ(port.status(), has_data);
}

TEST(AtaDiskTest, AnUnreadableSectorIsNamedAfterAllBeforeItWereRead) {
    DiskBench bench;
    auto& port = bench.on();
    bench.image.bad = {203 * 512, 204 * 512};
    port.issue28(ata_command::read_sectors, 200, 8);
    EXPECT_EQ(port.read_block(3 * 512), slice(bench.image, 200 * 512, 3 * 512));
    EXPECT_TRUE(port.irq());
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::unc);
    EXPECT_EQ(port.lba24(), 203u);
    EXPECT_EQ(port.count(), 5);
    port.issue28(ata_command::read_verify_sectors, 200, 8);
    EXPECT_EQ(port.error(), ata_error::unc);
    EXPECT_EQ(port.lba24(), 203u);
    EXPECT_EQ(bench.disk.statistic("failures"), 2u);
}

TEST(AtaDiskTest, AnUnwritableSectorIsNamedAfterAllBeforeItWereWritten) {
    DiskBench bench;
    const auto& port = bench.on();
    bench.image.bad = {302 * 512, 303 * 512};
    const Data data(4 * 512, 0x11);
    port.issue28(ata_command::write_sectors, 300, 4);
    port.write_block(data);
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::abrt);
    EXPECT_EQ(port.lba24(), 302u);
    EXPECT_EQ(slice(bench.image, 300 * 512, 2 * 512), Data(2 * 512, 0x11));
    EXPECT_NE(bench.image.bytes[303 * 512], 0x11);
}

TEST(AtaDiskTest, AReadOnlyImageIsWriteProtected) {
    DiskBench bench;
    bench.image.is_read_only = true;
    const auto& port = bench.on();
    port.issue28(ata_command::write_sectors, 0, 1);
    EXPECT_EQ(port.status(), failed);
    EXPECT_EQ(port.error(), ata_error::wp);
    EXPECT_EQ(port.identify()[169], 0) << "nothing to trim";
}

TEST(AtaDiskTest, FlushReachesTheImageAndReportsItsFailure) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue(ata_command::flush_cache_ext);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(bench.image.requests.back().operation, std::uint32_t{BACKPLANE_BLOCK_FLUSH});
    bench.image.bad = {0, 1};
    port.issue(ata_command::flush_cache);
    EXPECT_EQ(port.status(), ready) << "a bad sector is no matter of the cache";
}

TEST(AtaDiskTest, WithoutTheWriteCacheEachWriteIsForced) {
    DiskBench bench;
    const auto& port = bench.on();
    const auto write = [&](std::uint8_t opcode) {
        port.issue48(opcode, 7, 1);
        port.write_block(Data(512, 1));
        return bench.image.requests.back().flags;
    };
    EXPECT_EQ(port.identify()[85] & 0x20, 0x20);
    EXPECT_EQ(write(ata_command::write_sectors_ext), 0u);
    port.issue_features(0x82);
    EXPECT_EQ(bench.image.requests.back().operation, std::uint32_t{BACKPLANE_BLOCK_FLUSH});
    EXPECT_EQ(port.identify()[85] & 0x20, 0);
    EXPECT_EQ(write(ata_command::write_sectors_ext), BACKPLANE_BLOCK_FORCE_ACCESS);
    port.issue_features(0x02);
    EXPECT_EQ(write(ata_command::write_sectors_ext), 0u);
    port.command.write8(2, 4);
    port.issue(ata_command::set_multiple_mode);
    EXPECT_EQ(write(ata_command::write_multiple_fua_ext), BACKPLANE_BLOCK_FORCE_ACCESS);
}

TEST(AtaDiskTest, TransferModesAreOnesIdentifyShows) {
    DiskBench bench;
    const auto& port = bench.on();
    EXPECT_EQ(port.identify()[88], 0x203f);
    port.issue_features(0x03, 0x42);
    EXPECT_EQ(port.identify()[88], 0x043f);
    port.issue_features(0x03, 0x22);
    EXPECT_EQ(port.identify()[63], 0x0407);
    EXPECT_EQ(port.identify()[88], 0x003f);
    port.issue_features(0x03, 0x0c);
    EXPECT_EQ(port.status(), ready);
    for (const std::uint8_t mode : {0x02, 0x0d, 0x11, 0x23, 0x46}) {
        port.issue_features(0x03, mode);
        EXPECT_EQ(port.status(), failed) << int{mode};
        EXPECT_EQ(port.error(), ata_error::abrt);
    }
}

TEST(AtaDiskTest, PowerModesChangeByCommandAndByTime) {
    DiskBench bench;
    const auto& port = bench.on();
    const auto mode = [&] {
        port.issue(ata_command::check_power_mode);
        return int{port.count()};
    };
    EXPECT_EQ(mode(), 0xff);
    port.issue(ata_command::standby_immediate);
    EXPECT_EQ(mode(), 0x00);
    port.issue28(ata_command::read_verify_sectors, 0, 1);
    EXPECT_EQ(mode(), 0xff);
    port.command.write8(2, 12);
    port.issue(ata_command::idle);
    EXPECT_EQ(mode(), 0x80);
    bench.clock.advance(59s);
    EXPECT_EQ(mode(), 0x80);
    bench.clock.advance(2s);
    EXPECT_EQ(mode(), 0x00);
}

TEST(AtaDiskTest, AsleepItHearsNothingButAReset) {
    DiskBench bench;
    auto& port = bench.on();
    port.issue(ata_command::sleep);
    EXPECT_EQ(port.status(), ready);
    port.issue(ata_command::identify_device);
    EXPECT_EQ(port.status(), ata_status::bsy);
    port.control.write8(0, device_control::srst);
    port.control.write8(0, 0);
    EXPECT_EQ(port.status(), ready);
    port.issue(ata_command::check_power_mode);
    EXPECT_EQ(port.count(), 0x00) << "in standby";
}

TEST(AtaDiskTest, OtherCommandsAreAborted) {
    DiskBench bench;
    auto& port = bench.on();
    for (const int opcode : {0x00, 0x08, 0x22, 0x2f, 0x32, 0x37, 0x50, 0x60, 0x92, 0xa0, 0xa1, 0xb0,
                             0xb1, 0xf1, 0xf6, 0xf9, 0xff}) {
        port.issue(static_cast<std::uint8_t>(opcode));
        EXPECT_TRUE(port.irq()) << opcode;
        EXPECT_EQ(port.status(), failed) << opcode;
        EXPECT_EQ(port.error(), ata_error::abrt) << opcode;
    }
}

TEST(AtaDiskTest, SeekAndRecalibrateDoNothingButCheck) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue28(0x70, 2047, 1);
    EXPECT_EQ(port.status(), ready);
    port.issue28(0x7f, 2048, 1);
    EXPECT_EQ(port.error(), ata_error::idnf);
    port.issue(0x1f);
    EXPECT_EQ(port.status(), ready);
}

TEST(AtaDiskTest, TheLastSectorIsReportedInEachForm) {
    DiskBench bench{40960};
    const auto& port = bench.on();
    port.issue28(ata_command::read_native_max_address, 0, 0);
    EXPECT_EQ(port.lba24(), 40959u);
    port.issue48(ata_command::read_native_max_address_ext, 0, 0);
    EXPECT_EQ(port.lba24(), 40959u);
}

TEST(AtaDiskTest, TheBufferCanBeWrittenAndReadBack) {
    DiskBench bench;
    const auto& port = bench.on();
    Data data(512);
    std::iota(data.begin(), data.end(), std::uint8_t{3});
    port.issue(ata_command::write_buffer);
    port.write_block(data);
    port.issue(ata_command::read_buffer);
    EXPECT_EQ(port.read_block(512), data);
}

TEST(AtaDiskTest, AResetEndsACommandAndWhatItAskedOfTheImage) {
    DiskBench bench;
    auto& port = bench.on();
    bench.image.holds = true;
    port.issue28(ata_command::read_sectors, 0, 1);
    EXPECT_EQ(port.status(), ata_status::bsy);
    EXPECT_EQ(port.command.read8(2), ata_status::bsy) << "busy in every register";
    port.issue28(ata_command::read_sectors, 1, 1);
    EXPECT_EQ(bench.image.requests.size(), 1u) << "a busy disk takes no command";
    port.control.write8(0, device_control::srst);
    EXPECT_EQ(port.status(), ata_status::bsy);
    EXPECT_EQ(bench.image.held(), 0u);
    port.control.write8(0, 0);
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.lba24(), ata_signature);
    EXPECT_FALSE(port.irq());
}

TEST(AtaDiskTest, InterruptsAreHeldBackByNien) {
    DiskBench bench;
    auto& port = bench.on();
    port.control.write8(0, device_control::nien);
    port.issue28(ata_command::read_sectors, 0, 1);
    EXPECT_FALSE(port.irq());
    port.control.write8(0, 0);
    EXPECT_TRUE(port.irq());
    EXPECT_EQ(port.status(), has_data);
    EXPECT_FALSE(port.irq());
}

TEST(AtaDiskTest, TheAccessTimePassesInGuestTime) {
    DiskBench bench{2048, {{"access-time", Duration{2ms}}}};
    auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 4, 1);
    bench.clock.advance(1999us);
    EXPECT_EQ(port.status(), ata_status::bsy);
    bench.clock.advance(1us);
    EXPECT_TRUE(port.irq());
    EXPECT_EQ(port.read_block(512), slice(bench.image, 4 * 512, 512));
}

TEST(AtaDiskTest, AnEmptyOrUnsuitableImageIsRefused) {
    DiskBench empty{0};
    EXPECT_FALSE(empty.power_on());
    EXPECT_NE(empty.disk.failure().find("image is empty"), std::string::npos);
    DiskBench large_blocks;
    large_blocks.image.block_size = 4096;
    EXPECT_FALSE(large_blocks.power_on());
    EXPECT_NE(large_blocks.disk.failure().find("blocks of 4096 bytes"), std::string::npos);
    DiskBench geometry{2048, {{"cylinders", 3u}, {"heads", 16u}, {"sectors", 63u}}};
    EXPECT_FALSE(geometry.power_on());
    EXPECT_NE(geometry.disk.failure().find("larger than the image"), std::string::npos);
}

TEST(AtaDiskTest, ADiskWithoutAMediumIsNotThere) {
    DiskBench bench;
    bench.image.has_medium = false;
    EXPECT_EQ(bench.on().status(), 0x7f);
}

TEST(AtaDiskTest, TheImagesGeometryIsTaken) {
    DiskBench bench;
    bench.image.cylinders = 32, bench.image.heads = 4, bench.image.sectors = 16;
    const auto words = bench.on().identify();
    EXPECT_EQ(words[1], 32);
    EXPECT_EQ(words[3], 4);
    EXPECT_EQ(words[6], 16);
}

}  // namespace
}  // namespace backplane::storage
