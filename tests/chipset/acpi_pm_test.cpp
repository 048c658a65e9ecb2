#include "acpi_pm.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

namespace backplane::chipset {
namespace {

using namespace std::chrono_literals;
using backplane::testing::DeviceBench;

enum Offset : std::uint64_t { pmsts = 0x0, pmen = 0x2, pmcntrl = 0x4, pmtmr = 0x8, gpen = 0xe };

constexpr std::uint16_t timer_event = 1 << 0, power_button = 1 << 8;
constexpr std::uint16_t sleep_enable = 1 << 13;

class AcpiPmTest : public ::testing::Test {
protected:
    AcpiPmTest() { EXPECT_TRUE(bench.power_on()); }

    DeviceBench bench{Declaration<AcpiPm>::device_type()};
    backplane::testing::WindowProbe registers = bench.window("registers");
};

TEST_F(AcpiPmTest, CountsAt3579545HertzIn24Bits) {
    EXPECT_EQ(registers.read32(pmtmr), 0u);
    bench.advance(1s);
    EXPECT_EQ(registers.read32(pmtmr), 3'579'545u);
    bench.advance(999s);
    EXPECT_EQ(registers.read32(pmtmr), 3'579'545'000u & 0xffffff);
}

TEST_F(AcpiPmTest, GoesOnCountingAcrossAReset) {
    bench.advance(1s);
    bench.reset();
    EXPECT_EQ(registers.read32(pmtmr), 3'579'545u);
}

TEST_F(AcpiPmTest, TellsOfEachChangeOfTheTimersHighestBit) {
    registers.write16(pmen, timer_event);
    bench.advance(2343ms);
    EXPECT_FALSE(bench.level("sci"));
    bench.advance(1ms);
    EXPECT_TRUE(bench.level("sci"));
    EXPECT_EQ(registers.read16(pmsts), timer_event);
    registers.write16(pmsts, timer_event);
    EXPECT_FALSE(bench.level("sci"));
    bench.advance(2344ms);
    EXPECT_TRUE(bench.level("sci"));
}

TEST_F(AcpiPmTest, PowersOffWhenSoftOffIsEntered) {
    registers.write16(pmcntrl, 0 << 10);
    EXPECT_FALSE(bench.host().power_off.has_value());
    registers.write16(pmcntrl, sleep_enable | 0 << 10);
    ASSERT_TRUE(bench.host().power_off.has_value());
    EXPECT_EQ(bench.host().power_off->exit_code, 0);
    EXPECT_EQ(bench.host().power_off->why, "guest powered off (ACPI S5)");
}

TEST_F(AcpiPmTest, PowersOffToAByteWriteOfTheUpperHalf) {
    registers.write8(pmcntrl + 1, sleep_enable >> 8);
    EXPECT_TRUE(bench.host().power_off.has_value());
}

TEST_F(AcpiPmTest, WarnsOfSleepStatesThatItDoesNotHave) {
    registers.write16(pmcntrl, sleep_enable | 1 << 10);
    EXPECT_FALSE(bench.host().power_off.has_value());
    EXPECT_EQ(bench.host().log_lines.back().level, std::uint32_t{BACKPLANE_LOG_WARNING});
}

TEST_F(AcpiPmTest, IsAlwaysInAcpiModeAndNeverShowsTheSleepBit) {
    registers.write16(pmcntrl, 0xffff);
    EXPECT_EQ(registers.read16(pmcntrl), 0x1c03);
}

TEST_F(AcpiPmTest, RaisesThePowerButtonOnlyWhereItIsEnabled) {
    bench.set_line("power-button", true);
    bench.set_line("power-button", false);
    EXPECT_EQ(registers.read16(pmsts), power_button);
    EXPECT_FALSE(bench.level("sci"));
    registers.write16(pmen, power_button);
    EXPECT_TRUE(bench.level("sci"));
    registers.write16(pmsts, timer_event);
    EXPECT_TRUE(bench.level("sci")) << "only writing its own bit clears it";
    registers.write16(pmsts, power_button);
    EXPECT_FALSE(bench.level("sci"));
}

TEST_F(AcpiPmTest, IsPressedThroughItsButtonAndTellsWhetherTheGuestListens) {
    const auto button = bench.service<backplane_power_button>("button");
    EXPECT_EQ(button.call<&backplane_power_button::press>(), 0);
    EXPECT_EQ(registers.read16(pmsts), power_button);
    EXPECT_FALSE(bench.level("sci"));
    registers.write16(pmsts, power_button);
    registers.write16(pmen, power_button);
    EXPECT_EQ(button.call<&backplane_power_button::press>(), 1);
    EXPECT_TRUE(bench.level("sci"));
}

TEST_F(AcpiPmTest, KeepsEnableBitsThatDriversReadBack) {
    registers.write16(pmen, 0xffff);
    EXPECT_EQ(registers.read16(pmen), 0x0521);
    registers.write16(gpen, 0xa5a5);
    EXPECT_EQ(registers.read16(gpen), 0xa5a5);
}

TEST_F(AcpiPmTest, SurvivesSavingAndRestoring) {
    registers.write16(pmen, timer_event | power_button);
    bench.advance(2s);
    bench.set_line("power-button", true);
    EXPECT_EQ(backplane::testing::round_trip(bench, 5s), "");
}

}  // namespace
}  // namespace backplane::chipset
