#include "profile/space_saving.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <random>

namespace backplane::profile {
namespace {

TEST(SpaceSaving, IsExactWhileThereIsRoom) {
    SpaceSaving<int> top{3};
    top.add(1, 1, 10);
    top.add(2, 1, 30);
    top.add(1, 2, 15);
    const auto heaviest = top.heaviest(10);
    ASSERT_EQ(heaviest.size(), 2u);
    EXPECT_EQ(heaviest[0].key, 2);
    EXPECT_EQ(heaviest[1].key, 1);
    EXPECT_EQ(heaviest[1].hits, 3u);
    EXPECT_EQ(heaviest[1].weight, 25u);
    EXPECT_EQ(heaviest[1].error, 0u);
    EXPECT_EQ(top.total(), 55u);
}

TEST(SpaceSaving, ANewKeyTakesOverTheWeightOfTheLightest) {
    SpaceSaving<int> top{2};
    top.add(1, 5, 50);
    top.add(2, 2, 20);
    top.add(3, 1, 4);
    const auto heaviest = top.heaviest(2);
    ASSERT_EQ(heaviest.size(), 2u);
    EXPECT_EQ(heaviest[1].key, 3);
    EXPECT_EQ(heaviest[1].hits, 1u);
    EXPECT_EQ(heaviest[1].weight, 24u);
    EXPECT_EQ(heaviest[1].error, 20u);
}

TEST(SpaceSaving, KeepsItsPromisesOnLongTails) {
    constexpr std::size_t capacity = 64;
    std::mt19937_64 random{42};
    for (const double skew : {0.6, 1.0, 1.5}) {
        std::vector<double> shares;
        for (int key = 1; key <= 5000; ++key)
            shares.push_back(1 / std::pow(key, skew));
        std::discrete_distribution<int> keys{shares.begin(), shares.end()};
        SpaceSaving<int> top{capacity};
        std::map<int, std::uint64_t> exact;
        std::uint64_t total = 0;
        for (int i = 0; i < 100'000; ++i) {
            const int key = keys(random);
            const std::uint64_t weight = 1 + random() % 20;
            top.add(key, 1, weight);
            exact[key] += weight;
            total += weight;
        }
        EXPECT_EQ(top.total(), total);
        std::map<int, SpaceSaving<int>::Entry> found;
        for (const auto& entry : top.heaviest(capacity)) {
            found[entry.key] = entry;
            EXPECT_LE(exact[entry.key], entry.weight);
            EXPECT_GE(exact[entry.key], entry.weight - entry.error);
            EXPECT_LE(entry.error, total / capacity);
        }
        for (const auto& [key, weight] : exact)
            if (weight > total / capacity) EXPECT_TRUE(found.contains(key)) << key;
    }
}

TEST(SpaceSaving, MayHaveNoRoomAtAll) {
    SpaceSaving<int> top{0};
    top.add(1, 1, 10);
    EXPECT_TRUE(top.heaviest(5).empty());
    EXPECT_EQ(top.total(), 10u);
}

}  // namespace
}  // namespace backplane::profile
