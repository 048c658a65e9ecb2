#include "interp/block_table.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <utility>
#include <vector>

namespace backplane::interp {
namespace {

struct Table : ::testing::Test {
    Block& add(std::uint64_t physical, std::uint8_t mode, std::uint16_t segment_end = 0) {
        blocks.push_back(std::make_unique<Block>());
        Block& block = *blocks.back();
        block.physical = physical;
        block.mode = mode;
        block.segment_end = segment_end;
        table.insert(block);
        return block;
    }
    Block* find(std::uint64_t physical, std::uint8_t mode) const {
        return table.find(physical, mode);
    }

    BlockTable table;
    std::vector<std::unique_ptr<Block>> blocks;
};

TEST_F(Table, TellsModesAndAddressesApart) {
    Block& one = add(0x1000, 1);
    Block& other_mode = add(0x1000, 2);
    Block& high = add(0xf'ffff'ffff'f000, 1);
    EXPECT_EQ(find(0x1000, 1), &one);
    EXPECT_EQ(find(0x1000, 2), &other_mode);
    EXPECT_EQ(find(0xf'ffff'ffff'f000, 1), &high);
    EXPECT_EQ(find(0x1000, 3), nullptr);
    EXPECT_EQ(find(0x1001, 1), nullptr);
    table.remove(one);
    EXPECT_EQ(find(0x1000, 1), nullptr);
    EXPECT_EQ(find(0x1000, 2), &other_mode);
}

TEST_F(Table, AsksWhichOfSeveralIsMeant) {
    const auto ending_at = [&](unsigned end) {
        return table.find_special(0x1000, 1, [&](const Block& b) { return b.segment_end == end; });
    };
    Block& first = add(0x1000, 1, 0x10);
    Block& second = add(0x1000, 1, 0x20);
    EXPECT_EQ(find(0x1000, 1), nullptr);
    Block& plain = add(0x1000, 1);
    EXPECT_EQ(ending_at(0x10), &first);
    EXPECT_EQ(ending_at(0x20), &second);
    EXPECT_EQ(find(0x1000, 1), &plain);
    table.remove(first);
    EXPECT_EQ(ending_at(0x10), nullptr);
    EXPECT_EQ(ending_at(0x20), &second);
    EXPECT_EQ(find(0x1000, 1), &plain);
}

// As code comes and goes, and with more blocks than it had room for at first.
TEST_F(Table, FindsAllThatIsThereAndNothingElse) {
    std::mt19937_64 random{7};
    std::map<std::pair<std::uint64_t, std::uint8_t>, Block*> expected;
    std::vector<std::pair<std::uint64_t, std::uint8_t>> keys;
    constexpr std::size_t rounds = 400'000, most = 200'000;
    for (std::size_t i = 0; i < rounds; ++i) {
        const bool removes = !keys.empty() && (keys.size() >= most || random() % 4 == 0);
        if (removes) {
            const std::size_t which = random() % keys.size();
            const auto key = std::exchange(keys[which], keys.back());
            keys.pop_back();
            const auto found = expected.find(key);
            table.remove(*found->second);
            expected.erase(found);
            ASSERT_EQ(find(key.first, key.second), nullptr);
        } else {
            const std::pair<std::uint64_t, std::uint8_t> key{random() % (std::uint64_t{1} << 22),
                                                             random() % 3};
            if (expected.contains(key)) continue;
            keys.push_back(key);
            expected[key] = &add(key.first, key.second);
        }
    }
    ASSERT_GT(expected.size(), 100'000u);
    for (const auto& [key, block] : expected)
        ASSERT_EQ(find(key.first, key.second), block);
}

}  // namespace
}  // namespace backplane::interp
