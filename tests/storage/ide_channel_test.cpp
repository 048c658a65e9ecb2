// Two drives, one or none on a cable: who answers. (ATA/ATAPI-6, chapter 9)
#include "ide_bench.h"

namespace backplane::storage {
namespace {

TEST(IdeChannelTest, WithoutDrivesTheBusFloats) {
    DeviceBench controller{Declaration<IdeController>::device_type()};
    ASSERT_TRUE(controller.power_on());
    const HostPort port{controller, "secondary"};
    EXPECT_EQ(port.status(), 0x7f);
    EXPECT_EQ(port.alternate_status(), 0x7f);
    port.command.write8(2, 0x55);
    EXPECT_EQ(port.count(), 0xff);
    port.issue(ata_command::identify_device);
    EXPECT_EQ(port.status(), 0x7f);
    EXPECT_EQ(port.command.read16(0), 0xffff);
}

TEST(IdeChannelTest, Device0AnswersForAnAbsentDevice1WithStatusZero) {
    DiskBench bench;
    auto& port = bench.on();
    port.select(1);
    EXPECT_EQ(port.status(), 0);
    port.command.write8(2, 0x55);
    port.command.write8(3, 0xaa);
    EXPECT_EQ(port.count(), 0x55);
    EXPECT_EQ(port.command.read8(3), 0xaa);
    port.issue(ata_command::identify_device);
    EXPECT_EQ(port.status(), 0);
    EXPECT_FALSE(port.irq());
    port.select(0);
    EXPECT_EQ(port.status(), ready);
}

class TwoDisks : public ::testing::Test {
protected:
    TwoDisks()
        : second_image{1024 * 512},
          second{Declaration<AtaDisk>::device_type(), {{"model", "SECOND"}}, &bench.clock} {
        fill_with_pattern(second_image);
        second_image.bytes[0] = 0x99;
        second.connect("image", second_image);
        bench.controller.connect("primary-slave", second, "ata");
        EXPECT_TRUE(second.power_on());
        bench.on();
    }

    DiskBench bench;
    FakeBlock second_image;
    DeviceBench second;
};

TEST_F(TwoDisks, EachHasItsOwnStatusAndData) {
    auto& port = *bench.port;
    port.issue28(ata_command::read_sectors, 0, 1, 0);
    EXPECT_TRUE(port.irq());
    port.issue28(ata_command::read_sectors, 0, 1, 1);
    EXPECT_EQ(port.read_block(512), slice(second_image, 0, 512));
    EXPECT_EQ(port.status(), ready);
    port.select(0);
    EXPECT_TRUE(port.irq()) << "the first still waits to be asked";
    EXPECT_EQ(port.status(), has_data);
    EXPECT_EQ(port.read_block(512), slice(bench.image, 0, 512));
}

TEST_F(TwoDisks, TheDiagnosticIsForBothAndSelectsTheFirst) {
    auto& port = *bench.port;
    port.select(1);
    port.issue(ata_command::execute_device_diagnostic);
    EXPECT_TRUE(port.irq());
    EXPECT_EQ(port.status(), ready);
    EXPECT_EQ(port.error(), diagnostic_passed);
    EXPECT_EQ(port.command.read8(6) & 0x10, 0);
    EXPECT_EQ(port.lba24(), ata_signature);
    port.select(1);
    EXPECT_FALSE(port.irq());
    EXPECT_EQ(port.error(), diagnostic_passed);
    EXPECT_EQ(port.lba24(), ata_signature);
}

TEST_F(TwoDisks, ASoftwareResetIsForBoth) {
    auto& port = *bench.port;
    port.issue28(ata_command::read_sectors, 0, 1, 1);
    port.control.write8(0, device_control::srst | device_control::nien);
    port.control.write8(0, device_control::nien);
    EXPECT_EQ(port.command.read8(6) & 0x10, 0);
    for (const unsigned device : {0u, 1u}) {
        port.select(device);
        EXPECT_EQ(port.status(), ready);
        EXPECT_EQ(port.lba24(), ata_signature);
    }
}

TEST(IdeChannelTest, ADeviceInTheMiddleOfACommandKeepsItsRegisters) {
    DiskBench bench;
    const auto& port = bench.on();
    port.issue28(ata_command::read_sectors, 0x123, 1);
    port.command.write8(3, 0x77);
    port.issue(ata_command::write_sectors);
    EXPECT_EQ(port.status(), has_data);
    EXPECT_EQ(port.command.read8(3), 0x23);
    EXPECT_EQ(port.read_block(512), slice(bench.image, 0x123 * 512, 512));
}

}  // namespace
}  // namespace backplane::storage
