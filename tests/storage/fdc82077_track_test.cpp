// Whole tracks at once: read, and formatted.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

using ::testing::Each;

TEST(FdcTrackTest, ReadTrackTakesAllFromTheIndexOn) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(18 * 512);
    EXPECT_EQ(bench.run({0x42, 0, 0, 0, 1, 2, 18, 0x1b, 0xff})[1], 0);
    EXPECT_EQ(bench.dma.memory, bench.sectors(0, 0, 1, 18));
    bench.dma.take(4 * 512);
    const Data result = bench.run({0x42, 0, 0, 0, 5, 2, 3, 0x1b, 0xff});
    EXPECT_EQ(result[0], 0);
    EXPECT_EQ(result[1], 0x04) << "they have other numbers";
    EXPECT_EQ(bench.dma.left, 512u) << "EOT counts them";
    EXPECT_EQ(Data(bench.dma.memory.begin(), bench.dma.memory.begin() + 512),
              bench.sectors(0, 0, 1));
    bench.set_rate(2);
    EXPECT_EQ(bench.run({0x42, 0, 0, 0, 1, 2, 18, 0x1b, 0xff})[1], 0x01);
}

Data ids(std::uint8_t cylinder, std::uint8_t head, unsigned count = 18, unsigned interleave = 1) {
    Data data;
    for (unsigned sector = 0; sector < count; ++sector) {
        const auto record = static_cast<std::uint8_t>(sector * interleave % count + 1);
        data.insert(data.end(), {cylinder, head, record, 2});
    }
    return data;
}

TEST(FdcTrackTest, FormatsATrack) {
    FloppyBench bench;
    bench.on();
    bench.seek(9);
    const auto before = bench.image.bytes;
    const auto begin = bench.clock.now();
    bench.dma.give(ids(9, 1));
    EXPECT_EQ(bench.run({0x4d, 4, 2, 18, 0x6c, 0xf6})[0], 4);
    EXPECT_GE(bench.clock.now() - begin, 200ms);
    EXPECT_LE(bench.clock.now() - begin, 410ms);
    EXPECT_THAT(bench.sectors(9, 1, 1, 18), Each(0xf6));
    auto expected = before;
    std::fill_n(expected.begin() + static_cast<std::ptrdiff_t>(bench.place(9, 1, 1)), 18 * 512,
                std::uint8_t{0xf6});
    EXPECT_EQ(bench.image.bytes, expected) << "and no other";
    EXPECT_EQ(bench.image.requests.back().operation, BACKPLANE_BLOCK_FLUSH);
    bench.dma.give(ids(9, 0, 18, 5));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 18, 0x6c, 0x00})[0], 0) << "in any order";
    EXPECT_THAT(bench.sectors(9, 0, 1, 18), Each(0x00));
    EXPECT_EQ(bench.command({0x0e})[6], 18) << "SC";
    auto many = ids(9, 0);
    many.resize(255 * 4);
    bench.dma.give(many);
    EXPECT_EQ(bench.run({0x4d, 0, 2, 255, 0x6c, 0x77})[0], 0) << "as many as fit in a turn";
    EXPECT_THAT(bench.sectors(9, 0, 1, 18), Each(0x77));
    EXPECT_EQ(bench.dma.left, (255u - 18) * 4);
}

TEST(FdcTrackTest, RefusesTracksThatTheImageHasNoRoomFor) {
    FloppyBench bench;
    bench.on();
    const auto before = bench.image.bytes;
    bench.dma.give(ids(0, 0, 17));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 17, 0x6c, 0xf6})[0], 0x50);
    bench.dma.give(ids(1, 0));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 18, 0x6c, 0xf6})[0], 0x50);
    bench.dma.give(Data(18 * 4, 1));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 18, 0x6c, 0xf6})[0], 0x50);
    bench.set_rate(2);
    bench.dma.give(ids(0, 0, 9));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 9, 0x50, 0xf6})[0], 0x50) << "another density";
    bench.set_rate(0);
    bench.dma.give(ids(0, 0, 9));
    EXPECT_EQ(bench.run({0x4d, 0, 2, 18, 0x6c, 0xf6})[1], 0x10) << "half of what it wants";
    EXPECT_EQ(bench.image.bytes, before);
}

}  // namespace
}  // namespace backplane::storage
