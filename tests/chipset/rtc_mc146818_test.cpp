#include "chip_bench.h"
#include "rtc_mc146818.h"

namespace backplane::chipset {
namespace {

using testing::FlatMemory;

class RtcMc146818Test : public ::testing::Test {
protected:
    void start(const char* time) {
        bench.emplace(type_of<RtcMc146818>(), std::vector<Setting>{{"time", time}});
        bench->connect("memory", memory);
        ASSERT_TRUE(bench->power_on()) << bench->failure();
    }
    void SetUp() override { start("2024-02-28T23:59:58Z"); }

    std::uint8_t read(std::uint8_t index) {
        bench->window("registers").write8(0, index);
        return bench->window("registers").read8(1);
    }
    void write(std::uint8_t index, std::uint8_t value) {
        bench->window("registers").write8(0, index);
        bench->window("registers").write8(1, value);
    }
    // As "century year month day hour minute second".
    std::vector<int> time() {
        return {read(0x32), read(9), read(8), read(7), read(4), read(2), read(0)};
    }
    bool irq() { return bench->level("irq"); }
    std::string random_round_trip(Duration future) {
        DeviceBench second{type_of<RtcMc146818>(), {{"time", "2000-01-01"}}};
        second.connect("memory", memory);
        second.power_on();
        return testing::round_trip(*bench, second, future);
    }

    FlatMemory memory{4 << 20};
    std::optional<DeviceBench> bench;
};

TEST_F(RtcMc146818Test, RunsOnGuestTimeFromTheGivenStart) {
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x24, 0x02, 0x28, 0x23, 0x59, 0x58}));
    EXPECT_EQ(read(6), 0x04) << "a Wednesday";
    bench->advance(2s);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x24, 0x02, 0x29, 0x00, 0x00, 0x00}))
        << "2024 is a leap year";
    EXPECT_EQ(read(6), 0x05);
}

TEST_F(RtcMc146818Test, TheCenturyCountsToo) {
    start("1999-12-31T23:59:59Z");
    bench->advance(1s);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x00, 0x01, 0x01, 0, 0, 0}));
}

TEST_F(RtcMc146818Test, RefusesATimeThatIsNone) {
    for (const char* text : {"", "now", "2024-13-01", "2023-02-29", "2024-01-01T24:00:00",
                             "2024-01-01x", "2024-01-01T00:00:00Zulu"}) {
        DeviceBench refused{type_of<RtcMc146818>(), {{"time", text}}};
        refused.connect("memory", memory);
        EXPECT_FALSE(refused.power_on()) << text;
        EXPECT_NE(refused.failure().find(std::string{"'"} + text + "'"), std::string::npos)
            << refused.failure();
    }
}

TEST_F(RtcMc146818Test, TheMachinesStartIsTheDefaultTime) {
    bench.emplace(type_of<RtcMc146818>());
    bench->host().date_at_start = 951'782'399;
    bench->connect("memory", memory);
    ASSERT_TRUE(bench->power_on());
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x00, 0x02, 0x28, 0x23, 0x59, 0x59}));
}

TEST_F(RtcMc146818Test, BinaryAndTwelveHourFormats) {
    write(0x0b, 0x06);
    EXPECT_EQ(time(), (std::vector<int>{20, 24, 2, 28, 23, 59, 58}));
    write(0x0b, 0x00);
    EXPECT_EQ(read(4), 0x91) << "11 PM";
    bench->advance(2s);
    EXPECT_EQ(read(4), 0x12) << "12 AM";
    bench->advance(12h);
    EXPECT_EQ(read(4), 0x92) << "12 PM";
}

TEST_F(RtcMc146818Test, SetStopsTheTimeUntilItIsCleared) {
    write(0x0b, 0x82);
    bench->advance(10s);
    EXPECT_EQ(read(0), 0x58);
    write(0, 0x30);
    write(2, 0x15);
    write(4, 0x12);
    write(7, 0x01);
    write(8, 0x03);
    write(9, 0x99);
    write(0x32, 0x19);
    write(0x0b, 0x02);
    bench->advance(1s);
    EXPECT_EQ(time(), (std::vector<int>{0x19, 0x99, 0x03, 0x01, 0x12, 0x15, 0x31}));
}

TEST_F(RtcMc146818Test, TheWeekdayIsCountedFromWhateverWasWritten) {
    write(6, 0x01);
    EXPECT_EQ(read(6), 0x01);
    EXPECT_EQ(read(7), 0x28);
    bench->advance(2s);
    EXPECT_EQ(read(6), 0x02);
    bench->advance(24h * 6);
    EXPECT_EQ(read(6), 0x01);
}

TEST_F(RtcMc146818Test, ImpossibleDatesCarryOver) {
    write(0x0b, 0x82);
    write(8, 0x99);
    write(7, 0xff);
    write(4, 0xff);
    EXPECT_EQ(read(8), 0x99);
    write(0x0b, 0x02);
    bench->advance(1s);
    EXPECT_LE(read(8), 0x12);
}

TEST_F(RtcMc146818Test, ReleasingTheDividerStartsTheNextSecondAfterAHalf) {
    write(0x0a, 0x70);
    bench->advance(10s);
    EXPECT_EQ(read(0), 0x58);
    write(0x0a, 0x26);
    bench->advance(499ms);
    EXPECT_EQ(read(0), 0x58);
    bench->advance(1ms);
    EXPECT_EQ(read(0), 0x59);
    bench->advance(1s);
    EXPECT_EQ(read(0), 0x00);
}

TEST_F(RtcMc146818Test, UipAnnouncesTheUpdate) {
    EXPECT_EQ(read(0x0a) & 0x80, 0);
    bench->clock().advance_to(1s - 2228us);
    EXPECT_EQ(read(0x0a) & 0x80, 0x80);
    bench->clock().advance_to(1s);
    EXPECT_EQ(read(0x0a) & 0x80, 0);
    EXPECT_EQ(read(0), 0x59);
    write(0x0b, 0x82);
    bench->clock().advance_to(2s - 1us);
    EXPECT_EQ(read(0x0a) & 0x80, 0) << "SET inhibits updates";
}

TEST_F(RtcMc146818Test, PeriodicInterruptsComeAtTheChosenRateWithoutDrift) {
    start("2024-01-01T12:00:00Z");  // far from the alarm's 00:00:00
    write(0x0a, 0x26);              // 1024 Hz
    write(0x0b, 0x42);
    int interrupts = 0;
    for (int step = 0; step < 100'000; ++step) {
        bench->advance(100us);
        if (!irq()) continue;
        EXPECT_EQ(read(0x0c), 0xc0 | (interrupts != 0 && interrupts % 1024 == 1023 ? 0x10 : 0))
            << interrupts;
        ++interrupts;
    }
    EXPECT_EQ(interrupts, 10'240);
    EXPECT_FALSE(irq());
}

TEST_F(RtcMc146818Test, RatesOneAndTwoAreSlow) {
    write(0x0a, 0x21);
    write(0x0b, 0x42);
    bench->advance(3'906'250ns - 1us);
    EXPECT_FALSE(irq());
    bench->advance(1us);
    EXPECT_TRUE(irq());
    read(0x0c);
    write(0x0a, 0x20);
    bench->advance(10s);
    EXPECT_FALSE(irq()) << "rate 0 is none";
}

TEST_F(RtcMc146818Test, FlagsAreSetWithoutInterruptsToo) {
    bench->advance(1s);
    EXPECT_FALSE(irq());
    EXPECT_EQ(read(0x0c), 0x50);
    EXPECT_EQ(read(0x0c), 0x00);
}

TEST_F(RtcMc146818Test, UpdateEndedInterruptsComeEachSecond) {
    write(0x0b, 0x12);
    bench->advance(999ms);
    EXPECT_FALSE(irq());
    bench->advance(1ms);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(0x0c) & 0xb0, 0x90);
    EXPECT_FALSE(irq());
    bench->advance(1s);
    EXPECT_TRUE(irq());
    write(0x0b, 0x92);
    EXPECT_EQ(read(0x0b) & 0x10, 0) << "SET clears UIE";
}

TEST_F(RtcMc146818Test, TheAlarmGoesOffOnceADay) {
    write(1, 0x05);
    write(3, 0x30);
    write(5, 0x07);
    write(0x0b, 0x22);
    const Duration until = 7h + 30min + 7s;  // from 23:59:58
    bench->clock().advance_to(until - 1ns);
    EXPECT_FALSE(irq());
    bench->clock().advance_to(until);
    EXPECT_TRUE(irq());
    EXPECT_EQ(read(0x0c) & 0xa0, 0xa0);
    bench->clock().advance_to(until + 24h - 1ns);
    EXPECT_FALSE(irq());
    bench->advance(1ns);
    EXPECT_TRUE(irq());
}

TEST_F(RtcMc146818Test, AlarmBytesMayNotCare) {
    write(1, 0x00);
    write(3, 0xc0);
    write(5, 0xff);
    write(0x0b, 0x22);
    bench->advance(2s);
    EXPECT_TRUE(irq());
    read(0x0c);
    bench->advance(59s);
    EXPECT_FALSE(irq());
    bench->advance(1s);
    EXPECT_TRUE(irq());
}

TEST_F(RtcMc146818Test, AnAlarmThatNeverMatchesIsNone) {
    write(1, 0x61);
    write(0x0b, 0x22);
    bench->advance(48h);
    EXPECT_FALSE(irq());
}

TEST_F(RtcMc146818Test, RamAndNmiMaskAreKept) {
    write(0x40, 0x5a);
    EXPECT_EQ(read(0x40 | 0x80), 0x5a) << "bit 7 is the NMI mask, not part of the index";
    EXPECT_EQ(bench->window("registers").read8(0), 0xff);
    bench->reset();
    EXPECT_EQ(read(0x40), 0x5a);
}

TEST_F(RtcMc146818Test, AResetClearsInterruptsButNotTheTime) {
    write(0x0b, 0x72);
    bench->advance(1s);
    EXPECT_TRUE(irq());
    bench->reset();
    EXPECT_FALSE(irq());
    EXPECT_EQ(read(0x0b), 0x02);
    EXPECT_EQ(read(0), 0x59);
}

TEST_F(RtcMc146818Test, RegisterDSaysTheBatteryIsGood) {
    write(0x0d, 0);
    write(0x0c, 0xff);
    EXPECT_EQ(read(0x0d), 0x80);
    EXPECT_EQ(read(0x0c), 0);
}

TEST_F(RtcMc146818Test, TheMemorySizeComesFromTheMap) {
    EXPECT_EQ(read(0x15) | read(0x16) << 8, 640);
    EXPECT_EQ(read(0x17) | read(0x18) << 8, 3 * 1024);
    EXPECT_EQ(read(0x30) | read(0x31) << 8, 3 * 1024);
    EXPECT_EQ(read(0x34) | read(0x35) << 8, 0);
    EXPECT_EQ(read(0x5b) | read(0x5c) << 8 | read(0x5d) << 16, 0);
}

TEST_F(RtcMc146818Test, LargeMemoryIsTold) {
    // 3 GiB below and 61 GiB above 4 GiB; only the ranges matter.
    static std::uint8_t byte;
    static const backplane_address_space map{
        .struct_size = sizeof(backplane_address_space),
        .reserved = 0,
        .find =
            [](void*, std::uint64_t address, backplane_range* range) {
                constexpr std::uint64_t gib = 1ull << 30;
                if (address < 3 * gib)
                    *range = {0, 3 * gib, &byte, 1, 1};
                else
                    *range = {4 * gib, 61 * gib, &byte, 1, 1};
            },
        .read = nullptr,
        .write = nullptr,
        .read_block = nullptr,
        .write_block = nullptr,
        .watch_code = nullptr,
        .listen = nullptr,
        .extent = nullptr,
        .claim_code_page = nullptr,
        .map = nullptr,
        .unmap = nullptr,
        .read_many = nullptr,
        .write_many = nullptr};
    bench.emplace(type_of<RtcMc146818>(), std::vector<Setting>{{"time", "2024-01-01"}});
    bench->connect("memory", backplane_link{&map, nullptr});
    ASSERT_TRUE(bench->power_on());
    EXPECT_EQ(read(0x30) | read(0x31) << 8, 0xffff);
    EXPECT_EQ(read(0x34) | read(0x35) << 8, (3 * 1024 - 16) * 16);
    EXPECT_EQ(read(0x5b) | read(0x5c) << 8 | read(0x5d) << 16, 61 * 1024 * 16);
}

TEST_F(RtcMc146818Test, WhatFirmwareLooksForIsThere) {
    EXPECT_EQ(read(0x10), 0x00);
    EXPECT_EQ(read(0x14), 0x06) << "coprocessor and mouse, no diskettes";
    EXPECT_EQ(read(0x3d), 0x12) << "hard disk, floppy,";
    EXPECT_EQ(read(0x38), 0x30) << "CD";
    EXPECT_EQ(read(0x5f), 0);
}

TEST_F(RtcMc146818Test, DrivesBootOrderAndCpusAreSet) {
    bench.emplace(type_of<RtcMc146818>(), std::vector<Setting>{{"time", "2024-01-01"},
                                                               {"floppy0", std::string{"1.44m"}},
                                                               {"floppy1", std::string{"2.88m"}},
                                                               {"boot-order", std::string{"cdn"}},
                                                               {"cpus", 4}});
    bench->connect("memory", memory);
    ASSERT_TRUE(bench->power_on()) << bench->failure();
    EXPECT_EQ(read(0x10), 0x45);
    EXPECT_EQ(read(0x14), 0x47);
    EXPECT_EQ(read(0x3d), 0x32);
    EXPECT_EQ(read(0x38), 0x40);
    EXPECT_EQ(read(0x5f), 3);
    int sum = 0;
    for (std::uint8_t index = 0x10; index <= 0x2d; ++index)
        sum += read(index);
    EXPECT_EQ(read(0x2e) << 8 | read(0x2f), sum);
    EXPECT_GT(sum, 0);
}

TEST_F(RtcMc146818Test, RefusesABootOrderThatIsNone) {
    for (const char* order : {"x", "cc", "acdn", "c,d"}) {
        DeviceBench refused{type_of<RtcMc146818>(), {{"boot-order", std::string{order}}}};
        refused.connect("memory", memory);
        EXPECT_FALSE(refused.power_on()) << order;
        EXPECT_NE(refused.failure().find("'" + std::string{order} + "'"), std::string::npos)
            << refused.failure();
    }
}

TEST_F(RtcMc146818Test, TheExtendedBankIsRamOfItsOwn) {
    const auto extended = bench->window("extended");
    for (int index = 0; index < 128; ++index) {
        extended.write8(0, static_cast<std::uint8_t>(index));
        extended.write8(1, static_cast<std::uint8_t>(200 - index));
    }
    extended.write8(0, 0x80 | 5);
    EXPECT_EQ(extended.read8(0), 5);
    EXPECT_EQ(extended.read8(1), 195);
    EXPECT_EQ(read(5), 0) << "the alarm is another byte";
    bench->reset();
    EXPECT_EQ(extended.read8(1), 195) << "it lives on the battery";
}

TEST_F(RtcMc146818Test, DaylightSavingSkipsAnHourInApril) {
    start("2024-04-28T01:59:58Z");
    write(0x0b, 0x03);
    bench->advance(1s);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x24, 0x04, 0x28, 0x01, 0x59, 0x59}));
    bench->advance(1s);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x24, 0x04, 0x28, 0x03, 0x00, 0x00}));
    start("2024-04-21T01:59:59Z");
    write(0x0b, 0x03);
    bench->advance(1s);
    EXPECT_EQ(read(4), 0x02) << "not the last Sunday";
}

TEST_F(RtcMc146818Test, DaylightSavingRepeatsAnHourInOctober) {
    start("2024-10-27T01:59:59Z");
    write(0x0b, 0x03);
    bench->advance(1s);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x24, 0x10, 0x27, 0x01, 0x00, 0x00}));
    bench->advance(1h);
    EXPECT_EQ(read(4), 0x02) << "once only";
    bench->advance(24h * 364 - 1h);
    EXPECT_EQ(time(), (std::vector<int>{0x20, 0x25, 0x10, 0x26, 0x01, 0x00, 0x00}))
        << "one hour more in April, one less in October";
}

TEST_F(RtcMc146818Test, AlarmsFollowDaylightSaving) {
    start("2024-04-28T01:00:00Z");
    write(1, 0x00);
    write(3, 0x00);
    write(5, 0x03);
    write(0x0b, 0x23);
    bench->advance(1h - 1ns);
    EXPECT_FALSE(irq());
    bench->advance(1ns);
    EXPECT_TRUE(irq()) << "it is three o'clock";
    start("2024-04-28T01:00:00Z");
    write(1, 0x00);
    write(3, 0x00);
    write(5, 0x02);
    write(0x0b, 0x23);
    bench->advance(12h);
    EXPECT_FALSE(irq()) << "two o'clock does not come";
}

TEST_F(RtcMc146818Test, SurvivesASnapshotBeforeDaylightSaving) {
    start("2024-10-27T01:59:59Z");
    write(0x0b, 0x33);
    read(0x0c);
    EXPECT_EQ(random_round_trip(5s), "");
}

TEST_F(RtcMc146818Test, SurvivesASnapshotWithInterruptsDue) {
    write(0x0a, 0x2a);
    write(1, 0x00);
    write(3, 0xc0);
    write(5, 0xc0);
    write(0x0b, 0x72);
    bench->advance(1995ms);
    read(0x0c);
    EXPECT_EQ(random_round_trip(3s), "");
}

TEST_F(RtcMc146818Test, BearsRandomAccesses) {
    play_random_script(*bench, 146818);
    EXPECT_EQ(random_round_trip(1ms), "");
}

}  // namespace
}  // namespace backplane::chipset
