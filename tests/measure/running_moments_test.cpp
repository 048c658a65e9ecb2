// Running moments against two passes over all values in higher precision.
#include "measure/running_moments.h"
#include "random_values.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

namespace backplane::measure {
namespace {

using testing::random_values, testing::Shape;

struct Exact {
    long double sum = 0, mean = 0, squares = 0;

    explicit Exact(std::span<const double> values) {
        for (const double value : values)
            sum += value;
        mean = sum / static_cast<long double>(values.size());
        for (const double value : values)
            squares += (value - mean) * (value - mean);
    }
};

void expect_near(double value, long double exact) {
    EXPECT_NEAR(value, static_cast<double>(exact), std::abs(static_cast<double>(exact)) * 1e-12);
}

void expect_moments(const RunningMoments& moments, std::span<const double> values) {
    const Exact exact{values};
    const auto n = static_cast<long double>(values.size());
    EXPECT_EQ(moments.count(), values.size());
    expect_near(moments.sum(), exact.sum);
    expect_near(moments.mean(), exact.mean);
    expect_near(moments.population_variance(), exact.squares / n);
    expect_near(moments.sample_variance(), exact.squares / (n - 1));
    expect_near(moments.sample_stdev(), std::sqrt(exact.squares / (n - 1)));
    expect_near(moments.population_cv(), std::sqrt(exact.squares / n) / std::abs(exact.mean));
    expect_near(moments.sample_cv(), std::sqrt(exact.squares / (n - 1)) / std::abs(exact.mean));
    EXPECT_EQ(moments.min(), *std::ranges::min_element(values));
    EXPECT_EQ(moments.max(), *std::ranges::max_element(values));
}

TEST(RunningMoments, AreThoseOfAllValues) {
    for (const Shape shape : {Shape::Uniform, Shape::Normal, Shape::LongTail})
        for (const std::size_t count : {2, 3, 100, 50'000}) {
            const auto values = random_values(shape, count, 1);
            RunningMoments moments;
            for (const double value : values)
                moments.add(value);
            expect_moments(moments, values);
        }
}

TEST(RunningMoments, MergeToThoseOfBothParts) {
    const auto values = random_values(Shape::LongTail, 10'000, 2);
    for (const std::size_t cut : {0, 1, 4'000, 9'999, 10'000}) {
        RunningMoments first, second;
        for (std::size_t i = 0; i < values.size(); ++i)
            (i < cut ? first : second).add(values[i]);
        first.merge(second);
        expect_moments(first, values);
    }
}

// Squares less the square of the mean would give 0 or less than that.
TEST(RunningMoments, KeepASmallSpreadAroundALargeMean) {
    RunningMoments moments;
    for (const double value : {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16})
        moments.add(value);
    EXPECT_DOUBLE_EQ(moments.sample_variance(), 30);
    EXPECT_DOUBLE_EQ(moments.population_variance(), 22.5);
}

TEST(RunningMoments, SumLosesNothingToLargeTerms) {
    RunningMoments moments;
    for (const double value : {1.0, 1e100, 1.0, -1e100})
        moments.add(value);
    EXPECT_EQ(moments.sum(), 2);
}

TEST(RunningMoments, OfNothingAreNotNumbers) {
    RunningMoments moments;
    EXPECT_TRUE(std::isnan(moments.mean()));
    EXPECT_TRUE(std::isnan(moments.min()));
    EXPECT_TRUE(std::isnan(moments.population_variance()));
    EXPECT_TRUE(std::isnan(moments.sample_cv()));
    EXPECT_EQ(moments.sum(), 0);
    moments.add(-3);
    EXPECT_EQ(moments.mean(), -3);
    EXPECT_EQ(moments.max(), -3);
    EXPECT_EQ(moments.population_variance(), 0);
    EXPECT_TRUE(std::isnan(moments.sample_variance()));
    moments.add(3);
    EXPECT_TRUE(std::isnan(moments.population_cv())) << "the mean is 0";
}

}  // namespace
}  // namespace backplane::measure
