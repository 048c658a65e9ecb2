#include "chip_bench.h"
#include "pit8254.h"

namespace backplane::chipset {
namespace {

constexpr Hertz clock_rate{1'193'182};

class Pit8254Test : public ::testing::Test {
protected:
    Pit8254Test() { bench.power_on(); }

    void program(unsigned counter, unsigned mode, std::uint16_t count, bool bcd = false) {
        registers.write8(3, static_cast<std::uint8_t>(counter << 6 | 0x30 | mode << 1 | int{bcd}));
        registers.write8(counter, static_cast<std::uint8_t>(count));
        registers.write8(counter, static_cast<std::uint8_t>(count >> 8));
    }
    // To the instant of a tick counted from power-on.
    void go_to(std::uint64_t tick) { bench.clock().advance_to(clock_rate.span(tick)); }
    std::uint64_t tick() { return clock_rate.ticks(bench.now()); }
    unsigned count(unsigned counter) {
        registers.write8(3, static_cast<std::uint8_t>(counter << 6));
        const unsigned low = registers.read8(counter);
        return low | static_cast<unsigned>(registers.read8(counter)) << 8;
    }
    std::uint8_t status(unsigned counter) {
        registers.write8(3, static_cast<std::uint8_t>(0xe0 | 2 << counter));
        return registers.read8(counter);
    }
    bool out2() { return (port61.read8(0) & 0x20) != 0; }

    DeviceBench bench{type_of<Pit8254>()};
    testing::WindowProbe registers = bench.window("registers");
    testing::WindowProbe port61 = bench.window("system-control");
};

TEST_F(Pit8254Test, Mode0RaisesOutOneTickAfterTheCountAndOnlyOnce) {
    program(0, 0, 100);
    EXPECT_FALSE(bench.level("irq"));
    go_to(100);
    EXPECT_FALSE(bench.level("irq"));
    go_to(101);
    EXPECT_TRUE(bench.level("irq"));
    go_to(1'000'000);
    EXPECT_EQ(bench.edges("irq").back().at, clock_rate.span(101));
    EXPECT_EQ(count(0), (100u - (1'000'000u - 1)) & 0xffff) << "counting goes on, wrapping around";
}

TEST_F(Pit8254Test, Mode0StopsAtTheFirstOfTwoBytes) {
    program(0, 0, 50);
    go_to(20);
    registers.write8(0, 10);
    go_to(500);
    EXPECT_FALSE(bench.level("irq"));
    registers.write8(0, 0);
    go_to(511);
    EXPECT_TRUE(bench.level("irq"));
}

TEST_F(Pit8254Test, TheGateSuspendsMode0) {
    port61.write8(0, 0x01);
    program(2, 0, 100);
    go_to(41);
    port61.write8(0, 0x00);
    const unsigned held = count(2);
    EXPECT_EQ(held, 60u);
    go_to(5000);
    EXPECT_EQ(count(2), held);
    EXPECT_FALSE(out2());
    port61.write8(0, 0x01);
    go_to(5060);
    EXPECT_TRUE(out2());
}

TEST_F(Pit8254Test, Mode1IsAPulseStartedByTheGateAndProlongedByAnother) {
    program(2, 1, 100);
    go_to(1000);
    EXPECT_TRUE(out2()) << "nothing happens without a trigger";
    port61.write8(0, 0x01);
    go_to(1001);
    EXPECT_FALSE(out2());
    go_to(1050);
    port61.write8(0, 0x00);
    port61.write8(0, 0x01);
    EXPECT_FALSE(out2());
    go_to(1150);
    EXPECT_FALSE(out2());
    go_to(1151);
    EXPECT_TRUE(out2());
}

TEST_F(Pit8254Test, Mode2IsLowForTheLastTickOfEachPeriodWithoutDrift) {
    program(0, 2, 11'932);  // the 100 Hz of old kernels
    bench.rises("irq");
    bench.advance(1000s);
    const auto& edges = bench.edges("irq");
    const auto rises = bench.rises("irq");
    EXPECT_EQ(rises, (1'193'182'000ull - 1) / 11'932);
    EXPECT_TRUE(edges.back().level);
    EXPECT_EQ(edges.back().at, clock_rate.span(1 + rises * 11'932));
    EXPECT_EQ(edges[edges.size() - 2].at, clock_rate.span(rises * 11'932));
}

TEST_F(Pit8254Test, Mode2CountsFromTheCountDownToOne) {
    program(0, 2, 4);
    go_to(1);
    EXPECT_EQ(count(0), 4u);
    go_to(2);
    EXPECT_EQ(count(0), 3u);
    go_to(4);
    EXPECT_EQ(count(0), 1u);
    go_to(5);
    EXPECT_EQ(count(0), 4u);
}

TEST_F(Pit8254Test, ACountWrittenInMode2TakesEffectAtTheEndOfThePeriod) {
    program(0, 2, 1000);
    go_to(501);
    registers.write8(0, 100);
    registers.write8(0, 0);
    EXPECT_NE(status(0) & 0x40, 0) << "null count";
    EXPECT_EQ(count(0), 500u);
    bench.rises("irq");
    go_to(1001);
    EXPECT_EQ(bench.rises("irq"), 1u);
    EXPECT_EQ(status(0) & 0x40, 0);
    EXPECT_EQ(count(0), 100u);
    go_to(1101);
    EXPECT_EQ(bench.rises("irq"), 1u);
}

TEST_F(Pit8254Test, Mode3IsASquareWaveLongerHighWhenTheCountIsOdd) {
    program(0, 3, 5);
    go_to(1 + 3);
    ASSERT_FALSE(bench.edges("irq").empty());
    EXPECT_FALSE(bench.level("irq"));
    go_to(1 + 5);
    EXPECT_TRUE(bench.level("irq"));
    go_to(1 + 8);
    EXPECT_FALSE(bench.level("irq"));
}

TEST_F(Pit8254Test, Mode3CountsByTwo) {
    program(0, 3, 6);
    const std::vector<unsigned> even{6, 4, 2, 6, 4, 2, 6};
    for (std::uint64_t at = 0; at < even.size(); ++at) {
        go_to(1 + at);
        EXPECT_EQ(count(0), even[at]) << at;
    }
    const std::uint64_t start = tick() + 1;
    program(0, 3, 5);
    const std::vector<unsigned> odd{4, 2, 0, 4, 2, 4};
    for (std::uint64_t at = 0; at < odd.size(); ++at) {
        go_to(start + at);
        EXPECT_EQ(count(0), odd[at]) << at;
    }
}

TEST_F(Pit8254Test, ACountWrittenInMode3TakesEffectAtTheEndOfTheHalfPeriod) {
    program(0, 3, 1000);
    go_to(101);
    registers.write8(0, 20);
    registers.write8(0, 0);
    go_to(501);
    EXPECT_FALSE(bench.level("irq"));
    go_to(511);
    EXPECT_TRUE(bench.level("irq"));
    go_to(521);
    EXPECT_FALSE(bench.level("irq"));
}

TEST_F(Pit8254Test, GateLowForcesMode3OutHighAndRisingStartsAnew) {
    port61.write8(0, 0x01);
    program(2, 3, 100);
    go_to(61);
    EXPECT_FALSE(out2());
    port61.write8(0, 0x00);
    EXPECT_TRUE(out2());
    go_to(1000);
    EXPECT_TRUE(out2());
    port61.write8(0, 0x01);
    go_to(1050);
    EXPECT_TRUE(out2());
    go_to(1051);
    EXPECT_FALSE(out2());
}

TEST_F(Pit8254Test, Mode4StrobesOnceAfterTheCount) {
    program(0, 4, 30);
    go_to(31);
    EXPECT_FALSE(bench.level("irq"));
    go_to(32);
    EXPECT_TRUE(bench.level("irq"));
    const auto edges = bench.edges("irq").size();
    go_to(500'000);
    EXPECT_EQ(bench.edges("irq").size(), edges);
}

TEST_F(Pit8254Test, Mode5StrobesAfterTheTrigger) {
    program(2, 5, 30);
    go_to(100);
    EXPECT_TRUE(out2());
    port61.write8(0, 0x01);
    go_to(131);
    EXPECT_FALSE(out2());
    go_to(132);
    EXPECT_TRUE(out2());
}

TEST_F(Pit8254Test, ZeroIsTheLargestCountAlsoInBcd) {
    program(0, 2, 0);
    go_to(1 + 65'536);
    EXPECT_EQ(bench.edges("irq").size() % 2, 1u);
    EXPECT_EQ(bench.edges("irq").back().at, clock_rate.span(1 + 65'536));
    const std::uint64_t start = tick() + 1;
    program(0, 2, 0, true);
    bench.rises("irq");
    go_to(start + 10'000);
    EXPECT_EQ(bench.rises("irq"), 1u);
}

TEST_F(Pit8254Test, BcdCountersCountInDecimal) {
    program(0, 2, 0x1000, true);
    go_to(2);
    EXPECT_EQ(count(0), 0x0999u);
    go_to(1 + 991);
    EXPECT_EQ(count(0), 0x0009u);
}

TEST_F(Pit8254Test, ALatchedCountWaitsUntilItIsRead) {
    program(0, 2, 10'000);
    go_to(101);
    registers.write8(3, 0x00);
    go_to(5000);
    registers.write8(3, 0x00);  // ignored
    EXPECT_EQ(registers.read8(0), 9900 & 0xff);
    EXPECT_EQ(registers.read8(0), 9900 >> 8);
    EXPECT_EQ(registers.read8(0), (10'000 - 4999) & 0xff);
}

TEST_F(Pit8254Test, OneByteAccessReadsAndWritesThatByteOnly) {
    registers.write8(3, 0x14);  // counter 0, least significant byte, mode 2
    registers.write8(0, 200);
    go_to(1);
    EXPECT_EQ(registers.read8(0), 200);
    EXPECT_EQ(registers.read8(0), 200);
    registers.write8(3, 0x24);  // most significant byte
    registers.write8(0, 2);
    go_to(2);
    EXPECT_EQ(count(0) & 0xff, 2u);
}

TEST_F(Pit8254Test, ReadBackGivesStatusThenCount) {
    program(0, 2, 1000);
    go_to(11);
    registers.write8(3, 0xc2);  // latch both of counter 0
    EXPECT_EQ(registers.read8(0), 0x80 | 0x30 | 2 << 1);
    EXPECT_EQ(registers.read8(0), 990 & 0xff);
    EXPECT_EQ(registers.read8(0), 990 >> 8);
}

TEST_F(Pit8254Test, NullCountLastsUntilTheCountIsLoaded) {
    registers.write8(3, 0x34);
    EXPECT_NE(status(0) & 0x40, 0);
    program(0, 2, 1000);
    EXPECT_NE(status(0) & 0x40, 0) << "loaded at the next tick";
    go_to(2);
    EXPECT_EQ(status(0) & 0x40, 0);
}

TEST_F(Pit8254Test, ModesSixAndSevenAreTwoAndThree) {
    registers.write8(3, 0x3c);
    EXPECT_EQ(status(0) >> 1 & 7, 2);
    registers.write8(3, 0x3e);
    EXPECT_EQ(status(0) >> 1 & 7, 3);
}

TEST_F(Pit8254Test, ACountOfOneInMode2DoesNotTickUntilAnotherIsWritten) {
    program(0, 2, 1);
    bench.rises("irq");
    bench.advance(1s);
    EXPECT_EQ(bench.rises("irq"), 0u);
    registers.write8(0, 100);
    registers.write8(0, 0);
    bench.advance(1s);
    EXPECT_GT(bench.rises("irq"), 11'000u);
}

TEST_F(Pit8254Test, Port61ShowsGateSpeakerRefreshAndOut2) {
    port61.write8(0, 0xff);
    EXPECT_EQ(port61.read8(0) & 0xcf, 0x0f);
    unsigned toggles = 0;
    bool last = false;
    for (int step = 0; step < 1000; ++step) {
        bench.advance(10us);
        const bool now = (port61.read8(0) & 0x10) != 0;
        toggles += now != last;
        last = now;
    }
    EXPECT_NEAR(toggles, 10'000 / 15.085, 2);
}

TEST_F(Pit8254Test, AfterALongSleepOfTheHostTheTickGoesOnInsteadOfCatchingUp) {
    program(0, 2, 2);
    bench.advance(1ms);
    bench.rises("irq");
    bench.clock().jump(1h);
    EXPECT_GE(bench.rises("irq"), 1u);
    bench.advance(1ms);
    EXPECT_NEAR(bench.rises("irq"), 596.0, 2);
}

TEST_F(Pit8254Test, ATimerThatRunsLateLosesNoTick) {
    program(0, 2, 1193);
    bench.rises("irq");
    bench.clock().jump(100ms);
    EXPECT_EQ(bench.rises("irq"), (119'318u - 1) / 1193);
}

TEST_F(Pit8254Test, TheControlRegisterReadsAsOnes) { EXPECT_EQ(registers.read8(3), 0xff); }

TEST_F(Pit8254Test, SurvivesASnapshotWithAReloadPending) {
    program(0, 2, 10'000);
    port61.write8(0, 0x01);
    program(2, 3, 3000);
    go_to(4001);
    registers.write8(0, 0x10);
    registers.write8(0, 0x27);
    registers.write8(2, 0x77);
    EXPECT_EQ(testing::round_trip(bench), "");
}

TEST_F(Pit8254Test, BearsRandomAccesses) {
    play_random_script(bench, 8254);
    EXPECT_EQ(testing::round_trip(bench, 1ms), "");
}

}  // namespace
}  // namespace backplane::chipset
