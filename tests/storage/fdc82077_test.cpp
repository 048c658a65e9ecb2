// Registers of the floppy controller, commands that do not use the disk, seeks and resets.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Fdc82077Test, ComesUpInResetAndThenTellsOfFourDrives) {
    FloppyBench bench;
    bench.power_on();
    EXPECT_EQ(bench.read(2), 0x00);
    EXPECT_EQ(bench.msr(), 0x00) << "in reset";
    bench.write(5, 0x10);
    EXPECT_EQ(bench.msr(), 0x00);
    bench.write_dor(0x0c);
    EXPECT_EQ(bench.msr(), 0x00);
    EXPECT_FALSE(bench.irq());
    EXPECT_TRUE(bench.wait_for_irq(1ms));
    EXPECT_EQ(bench.msr(), 0x80);
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0xc0, 0));
    EXPECT_FALSE(bench.irq());
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0xc1, 0));
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0xc2, 0));
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0xc3, 0));
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x80)) << "nothing more to tell";
}

TEST(Fdc82077Test, TheGateHoldsInterruptsBack) {
    FloppyBench bench;
    bench.power_on();
    bench.write_dor(0x04);
    EXPECT_FALSE(bench.wait_for_irq(1ms));
    bench.write_dor(0x0c);
    EXPECT_TRUE(bench.irq());
    bench.write_dor(0x04);
    EXPECT_FALSE(bench.irq());
}

TEST(Fdc82077Test, DataRateSelectResetsToo) {
    FloppyBench bench;
    bench.on();
    bench.write(4, 0x81);
    EXPECT_EQ(bench.msr(), 0x00);
    EXPECT_TRUE(bench.wait_for_irq(1ms));
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0xc0, 0));
    EXPECT_EQ(bench.read(2), FloppyBench::motor_0) << "DOR stays";
    bench.write(4, 0x40);
    EXPECT_FALSE(bench.wait_for_irq(10ms)) << "powered down";
    EXPECT_EQ(bench.msr(), 0x00);
    bench.write(4, 0x80);
    EXPECT_TRUE(bench.wait_for_irq(1ms));
    EXPECT_EQ(bench.msr(), 0x80);
}

TEST(Fdc82077Test, IsAnA82077) {
    FloppyBench bench;
    bench.on();
    EXPECT_THAT(bench.command({0x10}), ElementsAre(0x90));
    for (const std::uint8_t unknown :
         {0x00, 0x01, 0x18, 0x0b, 0x17, 0x1f, 0x33, 0x87, 0x88, 0x8e}) {
        EXPECT_THAT(bench.command({unknown}), ElementsAre(0x80)) << int{unknown};
        EXPECT_FALSE(bench.irq());
    }
}

TEST(Fdc82077Test, DumpsWhatWasSet) {
    FloppyBench bench;
    bench.on();
    bench.seek(5);
    EXPECT_THAT(bench.command({0x13, 0, 0x57, 0x2a}), ElementsAre());
    EXPECT_THAT(bench.command({0x12, 0x87}), ElementsAre());
    EXPECT_THAT(bench.command({0x12, 0x3a}), ElementsAre()) << "without OW the drives stay";
    EXPECT_THAT(bench.command({0x0e}), ElementsAre(5, 0, 0, 0, 0xdf, 0x02, 0, 0x06, 0x57, 0x2a));
    EXPECT_THAT(bench.command({0x94}), ElementsAre(0x10));
    EXPECT_THAT(bench.command({0x0e}), ElementsAre(5, 0, 0, 0, 0xdf, 0x02, 0, 0x86, 0x57, 0x2a));
    bench.dma.take(512);
    bench.run({0xe6, 0, 5, 0, 1, 2, 9, 0x1b, 0xff});
    EXPECT_EQ(bench.command({0x0e})[6], 9) << "EOT";
}

TEST(Fdc82077Test, LockKeepsTheFifoThroughSoftwareResets) {
    FloppyBench bench;
    bench.on();
    bench.command({0x13, 0, 0x57, 0x2a});
    bench.command({0x12, 0x87});
    bench.command({0x94});
    bench.write(4, 0x80);
    bench.fdc.advance(1ms);
    EXPECT_THAT(bench.command({0x0e}), ElementsAre(0, 0, 0, 0, 0xdf, 0x02, 0, 0x84, 0x07, 0x2a));
    EXPECT_THAT(bench.command({0x14}), ElementsAre(0x00));
    bench.write_dor(0x10);
    bench.write_dor(0x1c);
    bench.fdc.advance(1ms);
    EXPECT_THAT(bench.command({0x0e}), ElementsAre(0, 0, 0, 0, 0xdf, 0x02, 0, 0x04, 0x20, 0x00));
    bench.command({0x94});
    bench.fdc.reset();
    EXPECT_EQ(bench.read(2), 0);
    bench.write_dor(0x1c);
    bench.fdc.advance(1ms);
    EXPECT_THAT(bench.command({0x0e}), ElementsAre(0, 0, 0, 0, 0, 0, 0, 0x00, 0x20, 0x00));
}

TEST(Fdc82077Test, TellsOfTheDrive) {
    FloppyBench bench;
    bench.on();
    EXPECT_THAT(bench.command({0x04, 0x04}), ElementsAre(0x3c)) << "track 0, head 1";
    bench.seek(1);
    EXPECT_THAT(bench.command({0x04, 0x00}), ElementsAre(0x28));
    bench.image.is_read_only = true;
    EXPECT_THAT(bench.command({0x04, 0x00}), ElementsAre(0x68));
    bench.write_dor(0x0c);
    EXPECT_THAT(bench.command({0x04, 0x00}), ElementsAre(0x28)) << "motor off: not selected";
}

// ---- Seeks

TEST(Fdc82077Test, StepsTakeTheirTime) {
    FloppyBench bench;
    bench.on();
    const auto begin = bench.clock.now();
    bench.command({0x0f, 0, 10});
    EXPECT_EQ(bench.msr(), 0x81) << "drive 0 seeks, and others may";
    EXPECT_TRUE(bench.wait_for_irq());
    const auto took = bench.clock.now() - begin;
    EXPECT_GE(took, 30ms) << "ten steps of 3 ms";
    EXPECT_LE(took, 31ms);
    EXPECT_EQ(bench.msr(), 0x80);
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 10));
    EXPECT_FALSE(bench.irq());
    EXPECT_EQ(bench.drive.statistic("steps"), 10u);
    EXPECT_THAT(bench.seek(10), ElementsAre(0x20, 10)) << "it is there";
    EXPECT_THAT(bench.seek(3), ElementsAre(0x20, 3));
    EXPECT_EQ(bench.drive.statistic("steps"), 17u);
    bench.set_rate(2);
    const auto slow = bench.clock.now();
    bench.command({0x0f, 0, 13});
    bench.wait_for_irq();
    EXPECT_GE(bench.clock.now() - slow, 60ms) << "at half the data rate";
}

TEST(Fdc82077Test, SpeedShortensIt) {
    FloppyBench bench{1474560, {}, {{"speed", 10}}};
    bench.on();
    const auto begin = bench.clock.now();
    bench.command({0x0f, 0, 100});
    EXPECT_TRUE(bench.wait_for_irq());
    EXPECT_LE(bench.clock.now() - begin, 31ms);
}

TEST(Fdc82077Test, RecalibrationFindsTrack0OrGivesUp) {
    FloppyBench bench;
    bench.on();
    bench.seek(79);
    bench.command({0x07, 0});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 0));
    EXPECT_EQ(bench.drive.statistic("steps"), 158u);
    bench.seek(82);
    bench.command({0x07, 0});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x70, 0)) << "79 steps do not do";
    bench.command({0x07, 0});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 0));
    bench.write_dor(0x4e);  // there is no drive 2
    bench.command({0x07, 2});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x72, 0));
}

TEST(Fdc82077Test, RelativeSeeksMoveFromWhereItIs) {
    FloppyBench bench;
    bench.on();
    bench.seek(20);
    bench.command({0xcf, 0, 7});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 27));
    bench.command({0x8f, 0, 9});
    bench.wait_for_irq();
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 18));
    bench.dma.take(512);
    EXPECT_EQ(bench.run({0xe6, 0, 18, 0, 1, 2, 1, 0x1b, 0xff})[0], 0x00) << "the head is there";
}

TEST(Fdc82077Test, TwoDrivesSeekAtOnce) {
    FloppyBench bench;
    bench.on();
    bench.write_dor(0x3d);
    bench.command({0x0f, 1, 4});
    bench.command({0x0f, 0, 9});
    EXPECT_EQ(bench.msr(), 0x83);
    bench.fdc.advance(1s);
    EXPECT_EQ(bench.fdc.rises("irq"), 4u) << "reset, recalibration, and these two";
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x20, 9));
    EXPECT_TRUE(bench.irq()) << "the other one";
    EXPECT_EQ(bench.fdc.rises("irq"), 1u);
    EXPECT_THAT(bench.command({0x08}), ElementsAre(0x21, 4));
    EXPECT_FALSE(bench.irq());
}

// ---- Registers of the other modes

TEST(Fdc82077Test, OfTheAtHasNoStatusAAndB) {
    FloppyBench bench;
    bench.on();
    EXPECT_EQ(bench.read(0), 0xff);
    EXPECT_EQ(bench.read(1), 0xff);
    bench.write(0, 0), bench.write(1, 0);
    bench.write(3, 0xfe);
    EXPECT_EQ(bench.read(3), 0xfe);
    bench.write(3, 0x01);
    EXPECT_EQ(bench.read(3), 0xfd);
    EXPECT_EQ(bench.dir(), 0xff) << "changed since power-on";
}

TEST(Fdc82077Test, OfThePs2HasThem) {
    FloppyBench bench{1474560, {}, {{"mode", std::string{"ps2"}}}};
    bench.on();
    EXPECT_EQ(bench.read(0) & ~0x04, 0x02) << "track 0, no write protection";
    EXPECT_EQ(bench.read(1), 0xc1);
    EXPECT_EQ(bench.dir(), 0xf8) << "500 kbit/s, high density";
    bench.set_rate(2);
    EXPECT_EQ(bench.dir(), 0xfd);
    bench.write_dor(0x14);
    bench.command({0x0f, 0, 3});
    EXPECT_TRUE(bench.wait_for_irq()) << "there is no gate";
    EXPECT_EQ(bench.read(0) & ~0x04, 0x93) << "inwards";
    EXPECT_EQ(bench.dir(), 0x7d) << "and the disk is known";
    int pulses = 0;
    for (int step = 0; step < 400; ++step) {
        pulses += (bench.read(0) & 0x04) == 0;
        bench.fdc.advance(1ms);
    }
    EXPECT_EQ(pulses, 8) << "4 ms of each turn";
}

TEST(Fdc82077Test, OfTheModel30KeepsWhatHasPassed) {
    FloppyBench bench{1474560, {}, {{"mode", std::string{"model30"}}}};
    bench.on();
    EXPECT_EQ(bench.read(0) & ~0x04, 0x19);
    EXPECT_EQ(bench.read(1), 0x43) << "drive 0 of two";
    EXPECT_EQ(bench.dir(), 0x08);
    bench.set_rate(4);
    EXPECT_EQ(bench.dir(), 0x0c);
    bench.seek(2);
    EXPECT_EQ(bench.read(0) & 0x20, 0x20);
    EXPECT_EQ(bench.dir(), 0x8c) << "not inverted";
    EXPECT_EQ(bench.read(0) & 0x20, 0x00);
    bench.dma.give(pattern(512));
    bench.run({0xc5, 0, 2, 0, 1, 2, 1, 0x1b, 0xff});
    EXPECT_EQ(bench.read(1), 0x5f);
}

TEST(Fdc82077Test, NeedsAChannelOfBytes) {
    FloppyBench bench;
    bench.dma.width = 2;
    EXPECT_FALSE(bench.fdc.power_on());
    EXPECT_THAT(bench.fdc.failure(), HasSubstr("channel of bytes"));
}

}  // namespace
}  // namespace backplane::storage
