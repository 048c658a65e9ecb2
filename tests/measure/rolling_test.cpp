// Windows over the latest values, and rates over the latest time.
#include "measure/rolling_rate.h"
#include "measure/rolling_window.h"
#include "random_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

namespace backplane::measure {
namespace {

using namespace std::chrono_literals;

TEST(RollingWindow, HasTheLatestValues) {
    const auto values = testing::random_values(testing::Shape::Uniform, 500, 6);
    RollingWindow window{60};
    EXPECT_TRUE(std::isnan(window.mean()));
    EXPECT_EQ(window.percentile(95), 0);
    for (std::size_t i = 0; i < values.size(); ++i) {
        window.add(values[i]);
        const std::size_t held = std::min<std::size_t>(i + 1, 60);
        const std::span latest = std::span{values}.subspan(i + 1 - held, held);
        double sum = 0;
        for (const double value : latest)
            sum += value;
        ASSERT_EQ(window.size(), held);
        ASSERT_NEAR(window.mean(), sum / static_cast<double>(held), 1e-6);
        ASSERT_EQ(window.percentile(95), percentile(latest, 95));
    }
}

TEST(RollingRate, IsThatOfTheLastSecond) {
    RollingRate rate;
    RollingRate::Clock::time_point now{};
    EXPECT_EQ(rate.per_second(), 0);
    rate.sample(0, now);
    EXPECT_EQ(rate.per_second(), 0);
    EXPECT_EQ(rate.window(), 0s);
    rate.sample(50, now += 250ms);
    EXPECT_DOUBLE_EQ(rate.per_second(), 200);
    for (int i = 0; i < 10; ++i)
        rate.sample(50 + 25u * static_cast<unsigned>(i + 1), now += 250ms);
    EXPECT_DOUBLE_EQ(rate.per_second(), 100) << "the fast start is more than a second ago";
    EXPECT_EQ(rate.window(), 1s);
    EXPECT_EQ(rate.difference(), 100u);
    rate.sample(300, now += 5s);
    EXPECT_EQ(rate.window(), 5s) << "nothing was sampled within the second";
    EXPECT_DOUBLE_EQ(rate.per_second(), 0);
}

TEST(RollingRate, BeginsAnewWithACounterThatFell) {
    RollingRate rate;
    RollingRate::Clock::time_point now{};
    rate.sample(1'000, now);
    rate.sample(10, now += 500ms);
    EXPECT_EQ(rate.per_second(), 0);
    rate.sample(30, now += 500ms);
    EXPECT_DOUBLE_EQ(rate.per_second(), 40);
}

}  // namespace
}  // namespace backplane::measure
