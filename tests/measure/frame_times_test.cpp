#include "measure/frame_times.h"

#include <gtest/gtest.h>

#include <cmath>

namespace backplane::measure {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

TEST(FrameTimes, TellLowsFromTheSlowestFrames) {
    FrameTimes frames;
    for (int i = 0; i < 985; ++i)
        frames.add(Milliseconds{10});
    for (int i = 0; i < 13; ++i)
        frames.add(Milliseconds{40});
    for (int i = 0; i < 2; ++i)
        frames.add(Milliseconds{200});
    EXPECT_NEAR(frames.avg_fps(), 1000.0 / 10.77, 1e-9);
    EXPECT_NEAR(frames.median_fps(), 100, 0.1);
    EXPECT_NEAR(frames.low_1_percent_fps(), 25, 0.025);
    EXPECT_NEAR(frames.low_01_percent_fps(), 5, 0.005);
    const double mean = 10.77, variance = (985 * 0.77 * 0.77 + 13 * (40 - mean) * (40 - mean) +
                                           2 * (200 - mean) * (200 - mean)) /
                                          1000;
    EXPECT_NEAR(frames.moments().population_variance(), variance, 1e-9);
    EXPECT_NEAR(frames.moments().population_cv(), std::sqrt(variance) / mean, 1e-12);
}

TEST(FrameTimes, MergeToThoseOfBothParts) {
    FrameTimes first, second;
    for (int i = 0; i < 10; ++i) {
        first.add(Milliseconds{10});
        second.add(Milliseconds{30});
    }
    first.merge(second);
    EXPECT_NEAR(first.avg_fps(), 50, 1e-9);
    EXPECT_NEAR(first.milliseconds(1), 30, 0.03);
}

TEST(FrameTimes, OfNoFrameAreNotNumbers) {
    EXPECT_TRUE(std::isnan(FrameTimes{}.avg_fps()));
    EXPECT_TRUE(std::isnan(FrameTimes{}.low_1_percent_fps()));
}

}  // namespace
}  // namespace backplane::measure
