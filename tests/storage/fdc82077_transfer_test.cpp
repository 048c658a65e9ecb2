// Data by DMA: what is read, written and compared, and how commands end.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

using ::testing::ElementsAre;

// ---- Reading

TEST(FdcTransferTest, ReadsUntilTerminalCount) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(3 * 512);
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 4, 2, 18, 0x1b, 0xff}), ElementsAre(0, 0, 0, 0, 0, 7, 2));
    EXPECT_EQ(bench.dma.memory, bench.sectors(0, 0, 4, 3));
    EXPECT_EQ(bench.dma.ends, 1);
    EXPECT_FALSE(bench.irq());
    EXPECT_EQ(bench.msr(), 0x80);
}

TEST(FdcTransferTest, ReadsTheOtherSideToo) {
    FloppyBench bench;
    bench.on();
    bench.seek(7);
    bench.dma.take(36 * 512);
    EXPECT_THAT(bench.run({0xe6, 0, 7, 0, 1, 2, 18, 0x1b, 0xff}), ElementsAre(4, 0, 0, 8, 0, 1, 2));
    EXPECT_EQ(bench.dma.memory, bench.sectors(7, 0, 1, 36));
    bench.dma.take(18 * 512);
    EXPECT_THAT(bench.run({0xe6, 0, 7, 0, 1, 2, 18, 0x1b, 0xff}), ElementsAre(0, 0, 0, 7, 1, 1, 2));
    bench.dma.take(2 * 512);
    EXPECT_THAT(bench.run({0x66, 4, 7, 1, 17, 2, 18, 0x1b, 0xff}),
                ElementsAre(4, 0, 0, 8, 1, 1, 2));
    EXPECT_EQ(bench.dma.memory, bench.sectors(7, 1, 17, 2));
}

TEST(FdcTransferTest, TheEndOfTheCylinderIsAnError) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(4 * 512);
    EXPECT_THAT(bench.run({0x66, 0, 0, 0, 17, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x80, 0, 1, 0, 1, 2));
    EXPECT_EQ(bench.dma.left, 2 * 512u);
    EXPECT_EQ(bench.fdc.statistic("failures"), 1u);
}

TEST(FdcTransferTest, TerminalCountWithinASectorLeavesTheRest) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(700);
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}), ElementsAre(0, 0, 0, 0, 0, 3, 2));
    auto expected = bench.sectors(0, 0, 1, 2);
    expected.resize(700);
    EXPECT_EQ(bench.dma.memory, expected);
}

TEST(FdcTransferTest, SectorsPassInTurn) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(18 * 512);
    bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    // Without losing a turn: one for the whole track, once its begin has come.
    const auto begin = bench.clock.now();
    bench.dma.take(18 * 512);
    bench.command({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    EXPECT_EQ(bench.msr(), 0x10);
    bench.wait_for_irq();
    const auto took = bench.clock.now() - begin;
    EXPECT_GT(took, 190ms);
    EXPECT_LT(took, 400ms);
    bench.result();
    // The sector that has just passed comes again after a turn.
    const auto again = bench.clock.now();
    bench.dma.take(512);
    bench.run({0xe6, 0, 0, 0, 18, 2, 18, 0x1b, 0xff});
    EXPECT_NEAR(static_cast<double>((bench.clock.now() - again).count()), 200e6, 1e6);
}

TEST(FdcTransferTest, TheHeadIsLoadedAndStaysSo) {
    FloppyBench bench;
    bench.on();
    bench.command({0x03, 0xdf, 0xc8});  // load in 200 ms
    const auto sector_time = [&](std::uint8_t record) {
        const auto begin = bench.clock.now();
        bench.dma.take(512);
        EXPECT_EQ(bench.run({0xe6, 0, 0, 0, record, 2, 18, 0x1b, 0xff})[0], 0);
        return bench.clock.now() - begin;
    };
    bench.fdc.advance(1s);
    EXPECT_GE(sector_time(1), 200ms);
    EXPECT_LT(sector_time(3), 40ms);
    bench.fdc.advance(1s);
    EXPECT_GE(sector_time(5), 200ms);
}

// ---- What cannot be found

TEST(FdcTransferTest, LooksForASectorForTwoIndexPulses) {
    FloppyBench bench;
    bench.on();
    const auto begin = bench.clock.now();
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 19, 2, 19, 0x1b, 0xff}),
                ElementsAre(0x40, 0x04, 0, 0, 0, 19, 2));
    EXPECT_GE(bench.clock.now() - begin, 200ms);
    EXPECT_LE(bench.clock.now() - begin, 405ms);
    EXPECT_THAT(bench.run({0xe6, 0, 0, 1, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x04, 0, 0, 1, 1, 2));
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 3, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x04, 0, 0, 0, 1, 3));
    EXPECT_THAT(bench.run({0xe6, 0, 3, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x04, 0x10, 3, 0, 1, 2))
        << "wrong cylinder";
}

TEST(FdcTransferTest, TheRateAndTheEncodingMustBeRight) {
    FloppyBench bench;
    bench.on();
    for (const std::uint8_t rate : {1, 2, 3}) {
        bench.set_rate(rate);
        EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                    ElementsAre(0x40, 0x01, 0, 0, 0, 1, 2))
            << int{rate};
        EXPECT_EQ(bench.run({0x4a, 0})[1], 0x01);
    }
    bench.set_rate(0);
    EXPECT_EQ(bench.run({0xa6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff})[1], 0x01) << "FM";
    EXPECT_THAT(bench.run({0x4a, 0}), ElementsAre(0, 0, 0, 0, 0, ::testing::_, 2));
    bench.seek(80);
    EXPECT_EQ(bench.run({0x4a, 0})[1], 0x01) << "beyond the last cylinder";
}

TEST(FdcTransferTest, WithoutADiskACommandWaits) {
    FloppyBench bench;
    bench.on();
    bench.image.change_medium(std::nullopt);
    EXPECT_TRUE(bench.run({0x4a, 0}, 10s).empty());
    EXPECT_EQ(bench.msr(), 0x10);
    bench.image.change_medium(Data(1474560, 0x55));
    EXPECT_TRUE(bench.wait_for_irq());
    EXPECT_EQ(bench.result()[0], 0x00);
    bench.write_dor(0x0c);
    EXPECT_TRUE(bench.run({0x4a, 0}, 2s).empty()) << "its motor is off";
    bench.write_dor(0x1c);
    bench.fdc.advance(290ms);
    EXPECT_FALSE(bench.irq()) << "nor up to speed";
    EXPECT_TRUE(bench.wait_for_irq(100ms));
    EXPECT_EQ(bench.result()[0], 0x00);
    bench.write_dor(0x0c);
    EXPECT_TRUE(bench.run({0x4a, 0}, 2s).empty());
    bench.write_dor(0x00);
    bench.write_dor(0x1c);
    bench.fdc.advance(1ms);
    EXPECT_EQ(bench.msr(), 0x80) << "a reset ends it";
}

TEST(FdcTransferTest, ADiskTakenOutEndsTheSectorWrongly) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(512);
    bench.command({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    while (bench.dma.left != 0)
        bench.fdc.advance(100us);
    bench.image.change_medium(std::nullopt);
    EXPECT_TRUE(bench.wait_for_irq());
    EXPECT_THAT(bench.result(), ElementsAre(0x40, 0x20, 0x20, 0, 0, 1, 2));
}

TEST(FdcTransferTest, ErrorsOfTheImageAreDataErrors) {
    FloppyBench bench;
    bench.on();
    bench.image.bad = {512, 1024};
    bench.dma.take(3 * 512);
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x20, 0x20, 0, 0, 2, 2));
    bench.dma.give(pattern(512));
    EXPECT_THAT(bench.run({0xc5, 0, 0, 0, 2, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x50, 0, 0, 0, 0, 2, 2))
        << "equipment check";
    EXPECT_EQ(bench.drive.statistic("failures"), 2u);
}

// ---- Writing

TEST(FdcTransferTest, WritesAndMakesItLast) {
    FloppyBench bench;
    bench.on();
    bench.seek(40);
    const Data data = pattern(2 * 512);
    bench.dma.give(data);
    EXPECT_THAT(bench.run({0xc5, 4, 40, 1, 5, 2, 18, 0x1b, 0xff}),
                ElementsAre(4, 0, 0, 40, 1, 7, 2));
    EXPECT_EQ(bench.sectors(40, 1, 5, 2), data);
    EXPECT_EQ(bench.image.requests.back().operation, BACKPLANE_BLOCK_FLUSH);
    bench.dma.give(Data(100, 0xee));
    bench.run({0xc5, 4, 40, 1, 5, 2, 18, 0x1b, 0xff});
    Data rest(512, 0);
    std::fill_n(rest.begin(), 100, std::uint8_t{0xee});
    EXPECT_EQ(bench.sectors(40, 1, 5), rest) << "zeroes after terminal count";
}

TEST(FdcTransferTest, AProtectedDiskIsNotWritten) {
    FloppyBench bench;
    bench.on();
    bench.image.is_read_only = true;
    const auto before = bench.image.bytes;
    bench.dma.give(pattern(512));
    EXPECT_THAT(bench.run({0xc5, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x02, 0, 0, 0, 1, 2));
    EXPECT_THAT(bench.run({0x4d, 0, 2, 18, 0x6c, 0xf6}), ElementsAre(0x40, 0x02, 0, 0, 0, 0, 2));
    EXPECT_EQ(bench.image.bytes, before);
    EXPECT_EQ(bench.dma.left, 512u);
}

TEST(FdcTransferTest, DmaThatIsNotReadyIsTooLate) {
    FloppyBench bench;
    bench.on();
    const auto before = bench.image.bytes;
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x10, 0, 0, 0, 1, 2));
    EXPECT_THAT(bench.run({0xc5, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x10, 0, 0, 0, 1, 2));
    bench.dma.take(512);
    EXPECT_EQ(bench.run({0xc5, 0, 0, 0, 1, 2, 18, 0x1b, 0xff})[1], 0x10) << "the wrong way";
    EXPECT_EQ(bench.image.bytes, before);
    EXPECT_EQ(bench.fdc.statistic("overruns"), 3u);
    bench.write_dor(0x14);
    bench.dma.take(512);
    bench.command({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    bench.fdc.advance(3s);
    EXPECT_EQ(bench.result()[1], 0x10) << "the gate is closed";
}

TEST(FdcTransferTest, DeletedDataHasAMarkOfItsOwn) {
    FloppyBench bench;
    bench.on();
    bench.dma.give(pattern(512));
    EXPECT_EQ(bench.run({0xc9, 0, 0, 0, 2, 2, 18, 0x1b, 0xff})[0], 0);
    bench.dma.take(3 * 512);
    EXPECT_THAT(bench.run({0xc6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0, 0, 0x40, 0, 0, 2, 2))
        << "it ends with the marked sector";
    EXPECT_EQ(bench.dma.left, 512u);
    bench.dma.take(2 * 512);
    EXPECT_THAT(bench.run({0xe6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0, 0, 0x40, 0, 0, 4, 2))
        << "or skips it";
    auto expected = bench.sectors(0, 0, 1);
    const auto third = bench.sectors(0, 0, 3);
    expected.insert(expected.end(), third.begin(), third.end());
    EXPECT_EQ(bench.dma.memory, expected);
    bench.dma.take(512);
    EXPECT_THAT(bench.run({0xcc, 0, 0, 0, 2, 2, 18, 0x1b, 0xff}), ElementsAre(0, 0, 0, 0, 0, 3, 2));
    EXPECT_EQ(bench.dma.memory, pattern(512));
    bench.dma.take(512);
    EXPECT_THAT(bench.run({0xcc, 0, 0, 0, 3, 2, 18, 0x1b, 0xff}),
                ElementsAre(0, 0, 0x40, 0, 0, 3, 2));
    bench.dma.give(pattern(512));
    bench.run({0xc5, 0, 0, 0, 2, 2, 18, 0x1b, 0xff});
    bench.dma.take(512);
    EXPECT_EQ(bench.run({0xc6, 0, 0, 0, 2, 2, 18, 0x1b, 0xff})[2], 0) << "written anew";
}

// ---- Other commands

TEST(FdcTransferTest, ImpliedSeeksGoToTheCylinder) {
    FloppyBench bench;
    bench.on();
    bench.command({0x13, 0, 0x57, 0});
    bench.dma.take(512);
    EXPECT_THAT(bench.run({0xe6, 4, 33, 1, 6, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x24, 0, 0, 33, 1, 7, 2));
    EXPECT_EQ(bench.dma.memory, bench.sectors(33, 1, 6));
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x80)) << "no interrupt of its own";
    EXPECT_EQ(bench.command({0x0e})[0], 33);
}

TEST(FdcTransferTest, ACommandWaitsForTheSeekOfItsDrive) {
    FloppyBench bench;
    bench.on();
    bench.command({0x0f, 0, 50});
    bench.dma.take(512);
    bench.command({0xe6, 0, 50, 0, 1, 2, 18, 0x1b, 0xff});
    bench.fdc.advance(1s);
    EXPECT_THAT(bench.result(), ElementsAre(0, 0, 0, 50, 0, 2, 2));
    EXPECT_TRUE(bench.irq());
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 50));
    EXPECT_EQ(bench.dma.memory, bench.sectors(50, 0, 1));
}

TEST(FdcTransferTest, ReadIdGivesTheNextThatPasses) {
    FloppyBench bench;
    bench.on();
    bench.seek(12);
    const Data first = bench.run({0x4a, 4});
    ASSERT_EQ(first.size(), 7u);
    EXPECT_THAT(Data(first.begin(), first.begin() + 5), ElementsAre(4, 0, 0, 12, 1));
    const Data second = bench.run({0x4a, 4});
    EXPECT_EQ(second[5], first[5] % 18 + 1);
}

TEST(FdcTransferTest, VerifyReadsWithoutTransfer) {
    FloppyBench bench;
    bench.on();
    bench.dma.take(512);
    EXPECT_THAT(bench.run({0xd6, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}), ElementsAre(4, 0, 0, 1, 0, 1, 2))
        << "both sides";
    EXPECT_EQ(bench.dma.left, 512u);
    EXPECT_THAT(bench.run({0x56, 0x80, 0, 0, 3, 2, 18, 0x1b, 5}), ElementsAre(0, 0, 0, 0, 0, 8, 2));
    EXPECT_EQ(bench.run({0x56, 0x80, 0, 0, 15, 2, 18, 0x1b, 5})[1], 0x80) << "there are but four";
    EXPECT_EQ(bench.run({0x56, 0, 0, 0, 1, 2, 19, 0x1b, 0xff})[1], 0x04);
    bench.image.bad = {512, 1024};
    EXPECT_THAT(bench.run({0x56, 0, 0, 0, 1, 2, 18, 0x1b, 0xff}),
                ElementsAre(0x40, 0x20, 0x20, 0, 0, 2, 2));
}

TEST(FdcTransferTest, ScansCompareWithTheDisk) {
    FloppyBench bench;
    bench.on();
    const auto scan = [&](std::uint8_t code, Data data) {
        bench.dma.give(std::move(data));
        return bench.run({code, 0, 0, 0, 1, 2, 18, 0x1b, 1});
    };
    std::fill_n(bench.image.bytes.begin(), 1024, std::uint8_t{0x40});
    const Data same(512, 0x40);
    EXPECT_EQ(scan(0x51, same)[2], 0x08) << "hit";
    Data other = same;
    other[100] = 0x41;
    EXPECT_EQ(scan(0x51, other)[2], 0x04) << "not satisfied";
    EXPECT_EQ(scan(0x59, other)[2], 0x00) << "the disk is lower";
    EXPECT_EQ(scan(0x5d, other)[2], 0x04);
    other[100] = 0x3f;
    EXPECT_EQ(scan(0x59, other)[2], 0x04);
    EXPECT_EQ(scan(0x5d, other)[2], 0x00);
    other[100] = 0xff;
    EXPECT_EQ(scan(0x51, other)[2], 0x08) << "like any";
    EXPECT_EQ(bench.run({0x51, 0, 0, 0, 19, 2, 19, 0x1b, 1})[2], 0x00) << "nothing is found";
    bench.dma.give(same);
    bench.run({0xc9, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    EXPECT_EQ(bench.run({0x71, 0, 0, 0, 1, 2, 1, 0x1b, 1})[2], 0x48) << "all were skipped";
    bench.dma.give(same);
    bench.run({0xc5, 0, 0, 0, 1, 2, 18, 0x1b, 0xff});
    // Goes on to the sector that fits.
    Data three(3 * 512, 0x99);
    std::fill_n(bench.image.bytes.begin() + 1024, 512, std::uint8_t{0x99});
    EXPECT_THAT(scan(0x51, three), ElementsAre(0, 0, 0x08, 0, 0, 4, 2));
    bench.dma.give(Data(4 * 512, 0x99));
    EXPECT_THAT(bench.run({0x51, 0, 0, 0, 1, 2, 3, 0x1b, 2}), ElementsAre(0, 0, 0x08, 1, 0, 1, 2))
        << "every other sector";
}

}  // namespace
}  // namespace backplane::storage
