// Saved in the middle of commands, and going on elsewhere as if nothing had been.
#include "floppy_bench.h"

namespace backplane::storage {
namespace {

// Everything there is, into a bench that was just made.
void copy(FloppyBench& from, FloppyBench& to) {
    to.power_on();
    to.clock.set(from.clock.now());
    for (auto [first, second] :
         {std::pair{&from.image, &to.image}, std::pair{&from.second_image, &to.second_image}}) {
        second->bytes = first->bytes;
        second->has_medium = first->has_medium;
    }
    to.dma.memory = from.dma.memory;
    to.dma.direction = from.dma.direction;
    to.dma.at = from.dma.at;
    to.dma.left = from.dma.left;
    to.dma.requested = from.dma.requested;
    for (auto& [where, line] : to.fdc.outputs())
        line.level = from.fdc.outputs().at(where).level;
    to.drive.restore(from.drive.save());
    to.second.restore(from.second.save());
    to.fdc.restore(from.fdc.save());
    to.fdc.host().run_posted();
}

std::string difference(FloppyBench& first, FloppyBench& second) {
    for (auto [a, b] : {std::pair{&first.fdc, &second.fdc}, std::pair{&first.drive, &second.drive}})
        if (auto text = testing::state_difference(a->save(), b->save()); !text.empty()) return text;
    return {};
}

struct Case {
    const char* name;
    Data command;
    Data dma;  // given; else as many bytes are taken as there is room for
    Duration lasts;
};

class FdcStateTest : public ::testing::TestWithParam<Case> {};

INSTANTIATE_TEST_SUITE_P(
    Commands, FdcStateTest,
    ::testing::Values(Case{"Seek", {0x0f, 0, 30}, {}, 95ms},
                      Case{"Read", {0xe6, 0, 0, 0, 9, 2, 18, 0x1b, 0xff}, {}, 500ms},
                      Case{"Write", {0xc5, 0, 0, 0, 9, 2, 18, 0x1b, 0xff}, pattern(1500), 500ms},
                      Case{"Format",
                           {0x4d, 0, 2, 18, 0x6c, 0xf6},
                           [] {
                               Data ids;
                               for (std::uint8_t record = 1; record <= 18; ++record)
                                   ids.insert(ids.end(), {0, 0, record, 2});
                               return ids;
                           }(),
                           500ms},
                      Case{"Missing", {0xe6, 0, 0, 0, 19, 2, 18, 0x1b, 0xff}, {}, 450ms}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST_P(FdcStateTest, GoesOnFromAnyMoment) {
    const Case& what = GetParam();
    const Duration step = what.lasts / 23;
    for (int moment = 0; moment < 24; ++moment) {
        FloppyBench first;
        first.on();
        what.dma.empty() ? first.dma.take(1500) : first.dma.give(what.dma);
        for (const std::uint8_t byte : what.command)
            first.write(5, byte);
        first.fdc.advance(step * moment);
        FloppyBench second;
        copy(first, second);
        ASSERT_EQ(difference(first, second), "") << "at moment " << moment;
        for (int later = 0; later < 30; ++later) {
            first.clock.advance(step);
            second.clock.advance(step);
            ASSERT_EQ(difference(first, second), "") << "after moment " << moment;
            ASSERT_EQ(first.irq(), second.irq());
        }
        EXPECT_TRUE(first.irq());
        EXPECT_EQ(first.result(), second.result());
        EXPECT_EQ(first.dma.memory, second.dma.memory);
        EXPECT_EQ(first.image.bytes, second.image.bytes);
    }
}

TEST(FdcInFlightTest, ByTheCpuToo) {
    FloppyBench first;
    first.on();
    first.command({0x03, 0xdf, 0x03});
    first.command({0x13, 0, 0x07, 0});
    first.command({0x66, 0, 0, 0, 1, 2, 1, 0x1b, 0xff});
    while ((first.msr() & 0x80) == 0)
        first.fdc.advance(10us);
    first.read(5);
    FloppyBench second;
    copy(first, second);
    Data a, b;
    for (int step = 0; step < 2000; ++step) {
        while (first.msr() == 0xf0)
            a.push_back(first.read(5));
        while (second.msr() == 0xf0)
            b.push_back(second.read(5));
        first.clock.advance(10us);
        second.clock.advance(10us);
    }
    EXPECT_EQ(a.size(), 511u);
    EXPECT_EQ(a, b);
    EXPECT_EQ(difference(first, second), "");
}

TEST(FdcInFlightTest, TransfersInFlightAreMadeAgain) {
    for (const bool writes : {false, true}) {
        FloppyBench first;
        first.on();
        first.image.holds = true;
        writes ? first.dma.give(pattern(512)) : first.dma.take(512);
        first.command({std::uint8_t(writes ? 0xc5 : 0xe6), 0, 0, 0, 3, 2, 18, 0x1b, 0xff});
        while (first.image.held() == 0)
            first.fdc.advance(1ms);
        EXPECT_EQ(first.msr(), 0x10);
        FloppyBench second;
        copy(first, second);
        second.fdc.advance(100ms);
        EXPECT_TRUE(second.irq());
        EXPECT_EQ(second.result(), (Data{0, 0, 0, 0, 0, 4, 2}));
        EXPECT_EQ(writes ? second.sectors(0, 0, 3) : second.dma.memory,
                  writes ? pattern(512) : second.sectors(0, 0, 3));
        EXPECT_FALSE(first.irq()) << "here the host has it still";
        first.image.holds = false;
        first.image.finish_all();
        first.fdc.advance(100ms);
        EXPECT_EQ(first.result(), (Data{0, 0, 0, 0, 0, 4, 2}));
    }
}

TEST(FdcInFlightTest, AResetGivesUpWhatIsInFlight) {
    FloppyBench bench;
    bench.on();
    bench.image.holds = true;
    bench.dma.take(512);
    bench.command({0xe6, 0, 0, 0, 3, 2, 18, 0x1b, 0xff});
    while (bench.image.held() == 0)
        bench.fdc.advance(1ms);
    bench.write_dor(0x18);
    EXPECT_EQ(bench.image.held(), 0u);
    bench.write_dor(0x1c);
    bench.fdc.advance(1s);
    EXPECT_EQ(bench.msr(), 0x80);
    EXPECT_EQ(bench.dma.left, 512u);
}

}  // namespace
}  // namespace backplane::storage
