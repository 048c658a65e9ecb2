#include "measure/nearest_rank.h"
#include "random_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace backplane::measure {
namespace {

TEST(NearestRank, TakesOneOfTheValues) {
    const std::vector<double> values{5, 1, 4, 2, 3};
    EXPECT_EQ(percentile(values, 50), 3);
    EXPECT_EQ(percentile(values, 95), 5);
    EXPECT_EQ(percentile(values, 20), 1);
    EXPECT_EQ(percentile(values, 0), 1);
    EXPECT_EQ(percentile(values, 100), 5);
    EXPECT_EQ(percentile({}, 95), 0);
}

// 7/100 is a little more than 7 hundredths in binary.
TEST(NearestRank, DoesNotRoundAWholeRankUp) {
    for (unsigned percent = 1; percent <= 100; ++percent)
        EXPECT_EQ(nearest_rank(percent, 100), percent);
    EXPECT_EQ(nearest_rank(95, 20), 19u);
    EXPECT_EQ(nearest_rank(95, 21), 20u);
    EXPECT_EQ(nearest_rank(99.9, 1'000), 999u);
}

TEST(NearestRank, LeavesSoManyValuesBelow) {
    const auto values = testing::random_values(testing::Shape::LongTail, 777, 5);
    for (const double percent : {1.0, 33.0, 50.0, 95.0, 99.9}) {
        const double found = percentile(values, percent);
        const auto up_to = [&](double bound) {
            return 100.0 *
                   static_cast<double>(std::ranges::count_if(
                       values, [&](double value) { return value <= bound; })) /
                   static_cast<double>(values.size());
        };
        EXPECT_GE(up_to(found), percent);
        EXPECT_LT(up_to(std::nextafter(found, 0)), percent);
    }
}

}  // namespace
}  // namespace backplane::measure
