// How fast code is, as slices tell.
#include "tier2/speed.h"

#include <gtest/gtest.h>

namespace backplane::jit::tier2::testing {
namespace {

TEST(Speed, IsKnownAfterEightWindows) {
    Speed speed;
    for (int i = 0; i < 7; ++i)
        speed.add(200, 100);
    EXPECT_FALSE(speed.is_known());
    speed.add(200, 0);  // nothing was executed
    EXPECT_FALSE(speed.is_known());
    speed.add(200, 100);
    EXPECT_TRUE(speed.is_known());
    EXPECT_DOUBLE_EQ(speed.ticks(), 2);
}

TEST(Speed, IsThatOfTheSecondShortestWindow) {
    Speed speed;
    for (const std::uint64_t ticks : {900, 500, 10, 300, 800, 700, 400, 600})
        speed.add(ticks, 100);
    EXPECT_DOUBLE_EQ(speed.ticks(), 3) << "others had the processor in the long ones";
}

TEST(Speed, ForgetsOldWindows) {
    Speed speed;
    for (int i = 0; i < 8; ++i)
        speed.add(100, 100);
    for (int i = 0; i < 8; ++i)
        speed.add(500, 100);
    EXPECT_DOUBLE_EQ(speed.ticks(), 5);
}

}  // namespace
}  // namespace backplane::jit::tier2::testing
