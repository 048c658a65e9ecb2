// Which disks a floppy drive takes, and what it tells when they change.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Disk {
    const char* name;
    const char* drive;
    std::size_t size;
    std::uint8_t rate, cylinders, heads, sectors;
    unsigned steps;  // from a cylinder to the next
};

class FloppyFormats : public ::testing::TestWithParam<Disk> {};

INSTANTIATE_TEST_SUITE_P(All, FloppyFormats,
                         ::testing::Values(Disk{"D160", "360k", 163840, 2, 40, 1, 8, 1},
                                           Disk{"D180", "360k", 184320, 2, 40, 1, 9, 1},
                                           Disk{"D320", "360k", 327680, 2, 40, 2, 8, 1},
                                           Disk{"D360", "360k", 368640, 2, 40, 2, 9, 1},
                                           Disk{"D360InHigh", "1.2m", 368640, 1, 40, 2, 9, 2},
                                           Disk{"D160InHigh", "1.2m", 163840, 1, 40, 1, 8, 2},
                                           Disk{"D1200", "1.2m", 1228800, 0, 80, 2, 15, 1},
                                           Disk{"D720", "720k", 737280, 2, 80, 2, 9, 1},
                                           Disk{"D720InHigh", "1.44m", 737280, 2, 80, 2, 9, 1},
                                           Disk{"D1440", "1.44m", 1474560, 0, 80, 2, 18, 1},
                                           Disk{"D1440InExtra", "2.88m", 1474560, 0, 80, 2, 18, 1},
                                           Disk{"D2880", "2.88m", 2949120, 3, 80, 2, 36, 1}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST_P(FloppyFormats, HaveTheirSectorsInPlace) {
    const Disk& disk = GetParam();
    FloppyBench bench{disk.size, {{"capacity", std::string{disk.drive}}}};
    bench.on(disk.rate);
    const std::size_t track = std::size_t{disk.sectors} * 512;
    for (const std::uint8_t cylinder : {std::uint8_t{0}, std::uint8_t(disk.cylinders - 1)}) {
        bench.seek(static_cast<std::uint8_t>(cylinder * disk.steps));
        for (std::uint8_t head = 0; head < disk.heads; ++head) {
            bench.dma.take(track);
            const auto side = static_cast<std::uint8_t>(head << 2);
            EXPECT_EQ(bench.run({0x46, side, cylinder, head, 1, 2, disk.sectors, 0x1b, 0xff})[0],
                      side);
            const auto begin = bench.image.bytes.begin() +
                               static_cast<std::ptrdiff_t>(
                                   (std::size_t{cylinder} * disk.heads + head) * track);
            EXPECT_EQ(bench.dma.memory, Data(begin, begin + static_cast<std::ptrdiff_t>(track)));
        }
    }
    const auto after = static_cast<std::uint8_t>(disk.sectors + 1);
    EXPECT_EQ(
        bench.run({0x46, 0, std::uint8_t(disk.cylinders - 1), 0, after, 2, after, 0x1b, 0xff})[1],
        0x04);
    EXPECT_EQ(bench.run({0x4a, 4})[1], disk.heads == 2 ? 0x00 : 0x01);
    bench.seek(static_cast<std::uint8_t>(disk.cylinders * disk.steps));
    EXPECT_EQ(bench.run({0x4a, 0})[1], 0x01) << "nothing beyond";
}

TEST(FloppyDriveTest, RefusesOtherDisks) {
    FloppyBench odd{1000448};
    EXPECT_FALSE(odd.drive.power_on());
    EXPECT_EQ(odd.drive.failure(), "the image has 1000448 bytes; a drive of 1.44m takes 737280 "
                                   "(720K), 1474560 (1.44M)");
    FloppyBench large{1228800};
    EXPECT_FALSE(large.drive.power_on());
    EXPECT_THAT(large.drive.failure(), HasSubstr("which is a disk of 1.2M; a drive of 1.44m"));
    FloppyBench dense{1474560, {{"capacity", std::string{"720k"}}}};
    EXPECT_FALSE(dense.drive.power_on());
    FloppyBench small{368640, {{"capacity", std::string{"2.88m"}}}};
    EXPECT_FALSE(small.drive.power_on());
    FloppyBench blocks{737280};
    blocks.image.block_size = 4096;
    EXPECT_FALSE(blocks.drive.power_on());
    EXPECT_THAT(blocks.drive.failure(), HasSubstr("512 or less"));
}

TEST(FloppyDriveTest, TellsOfAChangedDisk) {
    FloppyBench bench;
    bench.on();
    EXPECT_EQ(bench.dir() & 0x80, 0x80) << "at power-on";
    bench.seek(0);
    EXPECT_EQ(bench.dir() & 0x80, 0x80) << "no step was made";
    bench.seek(1);
    EXPECT_EQ(bench.dir() & 0x80, 0x00);
    bench.image.change_medium(std::nullopt);
    EXPECT_EQ(bench.dir() & 0x80, 0x80);
    bench.seek(0);
    EXPECT_EQ(bench.dir() & 0x80, 0x80) << "the drive is empty";
    EXPECT_EQ(bench.command({0x04, 0})[0], 0x78) << "and nothing can be written";
    bench.image.change_medium(Data(737280, 0x5a));
    EXPECT_EQ(bench.dir() & 0x80, 0x80);
    bench.seek(1);
    EXPECT_EQ(bench.dir() & 0x80, 0x00);
    bench.set_rate(2);
    bench.dma.take(512);
    EXPECT_EQ(bench.run({0x46, 0, 1, 0, 9, 2, 9, 0x1b, 0xff})[0], 0);
    EXPECT_EQ(bench.dma.memory, Data(512, 0x5a)) << "of another format";
    bench.write_dor(0x0c);
    EXPECT_EQ(bench.dir() & 0x80, 0x00);
    bench.image.change_medium(Data(1474560, 0));
    EXPECT_EQ(bench.dir() & 0x80, 0x00) << "not selected";
    bench.write_dor(0x1c);
    EXPECT_EQ(bench.dir() & 0x80, 0x80);
}

TEST(FloppyDriveTest, ADiskOfAnotherSizeCannotBeRead) {
    FloppyBench bench;
    bench.on();
    bench.image.change_medium(Data(10 * 512, 0x5a));
    bench.seek(1);
    EXPECT_EQ(bench.dir() & 0x80, 0x00) << "a disk it is";
    EXPECT_EQ(bench.run({0x4a, 0})[1], 0x01);
    bench.dma.give(Data(18 * 4, 1));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 18, 0x6c, 0xf6})[0], 0x50);
}

TEST(FloppyDriveTest, EachDriveHasItsDisk) {
    FloppyBench bench;
    bench.second_image.bytes[512] = 0x77;
    bench.on();
    bench.write_dor(FloppyBench::motor_1);
    bench.set_rate(2);
    bench.command({0x07, 1});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x21, 0));
    bench.dma.take(512);
    EXPECT_THAT(bench.run({0xe6, 1, 0, 0, 2, 2, 9, 0x1b, 0xff}), ElementsAre(1, 0, 0, 0, 0, 3, 2));
    EXPECT_EQ(bench.dma.memory[0], 0x77);
}

}  // namespace
}  // namespace backplane::storage
