// Data by the CPU, through the FIFO: requests at the threshold, and what comes of a slow host.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

using ::testing::ElementsAre;

class FdcFifoTest : public ::testing::Test {
protected:
    // `configuration`: third byte of CONFIGURE, where 0x20 disables the FIFO.
    void on(std::uint8_t configuration) {
        bench.on();
        bench.command({0x03, 0xdf, 0x03});
        bench.command({0x13, 0, configuration, 0});
        bench.fdc.rises("irq");
    }

    bool wait_for_request(Duration limit = 1s) {
        for (Duration waited{0}; waited < limit; waited += 2us) {
            if ((bench.msr() & 0x80) != 0) return true;
            bench.fdc.advance(2us);
        }
        return false;
    }

    Data read(std::size_t bytes) {
        Data data;
        while (data.size() < bytes && wait_for_request()) {
            if (bench.msr() != 0xf0) break;
            EXPECT_TRUE(bench.irq());
            data.push_back(bench.read(5));
        }
        return data;
    }

    void write(const Data& data) {
        for (const std::uint8_t byte : data) {
            if (!wait_for_request() || bench.msr() != 0xb0) break;
            EXPECT_TRUE(bench.irq());
            bench.write(5, byte);
        }
    }

    Data end() {
        EXPECT_TRUE(bench.wait_for_irq());
        EXPECT_EQ(bench.msr(), 0xd0);
        return bench.result();
    }

    FloppyBench bench;
};

TEST_F(FdcFifoTest, WithoutAFifoEachByteIsAskedFor) {
    on(0x20);
    bench.command({0xe6, 0, 0, 0, 3, 2, 4, 0x1b, 0xff});
    EXPECT_EQ(bench.msr(), 0x30);
    EXPECT_EQ(read(1024), bench.sectors(0, 0, 3, 2));
    EXPECT_EQ(bench.fdc.rises("irq"), 1024u);
    // MT goes on with the other side, which the host does not want.
    EXPECT_FALSE((bench.msr() & 0x80) != 0);
}

TEST_F(FdcFifoTest, TheEndIsThatOfTheCylinder) {
    on(0x20);
    bench.command({0x66, 0, 0, 0, 3, 2, 4, 0x1b, 0xff});
    EXPECT_EQ(read(1024), bench.sectors(0, 0, 3, 2));
    EXPECT_THAT(end(), ElementsAre(0x40, 0x80, 0, 1, 0, 1, 2)) << "nothing gives terminal count";
}

TEST_F(FdcFifoTest, AFifoAsksAtItsThreshold) {
    on(0x0b);  // 12 bytes
    bench.command({0x66, 0, 0, 0, 1, 2, 1, 0x1b, 0xff});
    Data data;
    ASSERT_TRUE(wait_for_request());
    while ((bench.msr() & 0x80) != 0)
        data.push_back(bench.read(5));
    EXPECT_EQ(data.size(), 4u) << "16 less 12";
    const Data rest = read(508);
    data.insert(data.end(), rest.begin(), rest.end());
    EXPECT_EQ(data, bench.sectors(0, 0, 1));
    EXPECT_EQ(bench.fdc.rises("irq"), 129u) << "for four bytes each, and for the end";
    EXPECT_EQ(end()[1], 0x80);
}

TEST_F(FdcFifoTest, TheLastBytesWaitForTheHost) {
    on(0x00);
    bench.command({0x66, 0, 0, 0, 1, 2, 1, 0x1b, 0xff});
    const Data first = read(500);
    bench.fdc.advance(1s);
    EXPECT_EQ(bench.msr(), 0xf0);
    EXPECT_EQ(first.size() + read(100).size(), 512u);
    EXPECT_EQ(end()[1], 0x80);
}

TEST_F(FdcFifoTest, WritesAreAskedForAheadOfTheSector) {
    on(0x07);
    const Data data = pattern(1024);
    bench.command({0x45, 0, 0, 0, 8, 2, 9, 0x1b, 0xff});
    ASSERT_TRUE(wait_for_request(3ms));
    write(data);
    EXPECT_THAT(end(), ElementsAre(0x40, 0x80, 0, 1, 0, 1, 2));
    EXPECT_EQ(bench.sectors(0, 0, 8, 2), data);
}

TEST_F(FdcFifoTest, ASlowHostLosesTheSector) {
    on(0x0f);
    const auto before = bench.image.bytes;
    bench.command({0x66, 0, 0, 0, 1, 2, 2, 0x1b, 0xff});
    EXPECT_EQ(read(100).size(), 100u);
    bench.fdc.advance(1ms);
    EXPECT_THAT(end(), ElementsAre(0x40, 0x10, 0, 0, 0, 1, 2));
    bench.command({0x45, 0, 0, 0, 1, 2, 2, 0x1b, 0xff});
    write(pattern(100));
    bench.fdc.advance(200ms);
    EXPECT_THAT(end(), ElementsAre(0x40, 0x10, 0, 0, 0, 1, 2));
    EXPECT_EQ(bench.image.bytes, before);
}

TEST_F(FdcFifoTest, ScansAndFormatsByTheCpu) {
    on(0x07);
    bench.command({0x51, 0, 0, 0, 1, 2, 1, 0x1b, 1});
    write(bench.sectors(0, 0, 1));
    EXPECT_EQ(end()[2], 0x08);
    bench.command({0x4d, 0, 2, 18, 0x6c, 0xe5});
    for (std::uint8_t record = 1; record <= 18; ++record)
        write({0, 0, record, 2});
    EXPECT_EQ(end()[0], 0);
    EXPECT_EQ(bench.sectors(0, 0, 1, 18), Data(18 * 512, 0xe5));
}

TEST_F(FdcFifoTest, AResetEndsIt) {
    on(0x07);
    bench.command({0x66, 0, 0, 0, 1, 2, 2, 0x1b, 0xff});
    read(10);
    bench.write_dor(0x18);
    EXPECT_FALSE(bench.irq());
    bench.write_dor(0x1c);
    EXPECT_TRUE(bench.wait_for_irq(1ms));
    EXPECT_EQ(bench.msr(), 0x80);
    EXPECT_EQ(bench.read(5), 0);
}

}  // namespace
}  // namespace backplane::storage
