#include "runtime/speed_meter.h"

#include <gtest/gtest.h>

namespace backplane::runtime {
namespace {

TEST(SpeedMeter, AveragesOverTheWholeTime) {
    SpeedMeter meter;
    const SpeedMeter::Clock::time_point start{};
    meter.sample(0, start);
    meter.sample(100'000'000, start + std::chrono::seconds{1});
    meter.sample(400'000'000, start + std::chrono::seconds{2});
    EXPECT_DOUBLE_EQ(meter.mips().average, 200);
    EXPECT_DOUBLE_EQ(meter.mips().p95, 300);
}

TEST(SpeedMeter, IsZeroBeforeTimeHasPassed) {
    SpeedMeter meter;
    EXPECT_EQ(meter.mips().average, 0);
    meter.sample(5);
    EXPECT_EQ(meter.mips().average, 0);
    EXPECT_EQ(meter.mips().p95, 0);
}

}  // namespace
}  // namespace backplane::runtime
