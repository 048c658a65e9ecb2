// Quantiles of the histogram against those of the sorted values.
#include "measure/log_histogram.h"
#include "measure/nearest_rank.h"
#include "random_values.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace backplane::measure {
namespace {

using testing::random_values, testing::Shape;

constexpr double quantiles[]{0, 0.001, 0.01, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, 1};

TEST(LogHistogram, GivesQuantilesToAThousandth) {
    for (const Shape shape : {Shape::Uniform, Shape::Normal, Shape::LongTail})
        for (const std::size_t count : {1, 2, 10, 1'000, 100'000}) {
            const auto values = random_values(shape, count, 3);
            LogHistogram histogram;
            for (const double value : values)
                histogram.add(value);
            EXPECT_EQ(histogram.count(), count);
            for (const double q : quantiles) {
                const double exact = percentile(values, q * 100);
                EXPECT_NEAR(histogram.quantile(q), exact, exact / 1024) << q << " of " << count;
            }
        }
}

TEST(LogHistogram, MergesToThatOfBothParts) {
    const auto values = random_values(Shape::LongTail, 5'000, 4);
    LogHistogram whole, first, second, empty;
    for (std::size_t i = 0; i < values.size(); ++i) {
        whole.add(values[i]);
        (i % 3 == 0 ? first : second).add(values[i]);
    }
    empty.merge(first);
    empty.merge(LogHistogram{});
    empty.merge(second);
    EXPECT_EQ(empty.count(), whole.count());
    for (const double q : quantiles)
        EXPECT_EQ(empty.quantile(q), whole.quantile(q)) << q;
}

TEST(LogHistogram, InterpolatesWithinABucket) {
    // 2048 to 2049.99 is one bucket.
    LogHistogram histogram;
    for (int i = 0; i < 1'000; ++i)
        histogram.add(2048 + 2 * (i + 0.5) / 1'000);
    EXPECT_NEAR(histogram.quantile(0.5), 2049, 0.002);
    EXPECT_NEAR(histogram.quantile(0.1), 2048.2, 0.002);
    EXPECT_NEAR(histogram.quantile(0.9), 2049.8, 0.002);
}

TEST(LogHistogram, StaysWithinWhatWasAdded) {
    LogHistogram histogram;
    histogram.add(1000.3);
    for (const double q : quantiles)
        EXPECT_EQ(histogram.quantile(q), 1000.3);
}

TEST(LogHistogram, TakesWhatIsOutOfItsRange) {
    LogHistogram histogram;
    histogram.add(-5);
    histogram.add(0);
    histogram.add(0.25);
    histogram.add(1e300);
    histogram.add(std::numeric_limits<double>::infinity());
    histogram.add(std::numeric_limits<double>::quiet_NaN());
    EXPECT_EQ(histogram.count(), 5u);
    EXPECT_NEAR(histogram.quantile(0.1), 0, 0.001);
    EXPECT_NEAR(histogram.quantile(0.6), 0.25, 0.001);
    EXPECT_GE(histogram.quantile(1), 0x1p30);
}

TEST(LogHistogram, OfNothingHasNoQuantiles) {
    EXPECT_TRUE(std::isnan(LogHistogram{}.quantile(0.5)));
}

}  // namespace
}  // namespace backplane::measure
