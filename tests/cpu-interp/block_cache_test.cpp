// Blocks whose code has changed: they are not found any more, and their memory is used again.
#include "interp/block_cache.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>

namespace backplane::interp {
namespace {

struct DroppedBlocks : ::testing::Test {
    static constexpr std::size_t ops = 5;

    Block& make(std::uint64_t physical, std::size_t with = ops) {
        Block* block = blocks.allocate(with);
        block->physical = physical;
        block->bytes = 4;
        blocks.insert(block);
        return *block;
    }
    Block* find(std::uint64_t physical) { return blocks.find({physical, 0}, false, 0); }

    BlockCache blocks{std::size_t{64} << 20, [](void*, std::uint64_t, bool) {}, nullptr};
};

TEST_F(DroppedBlocks, KeepTheirMemoryUntilNothingPointsThere) {
    Block& block = make(0x1000);
    blocks.drop(&block);
    EXPECT_EQ(find(0x1000), nullptr);
    EXPECT_FALSE(block.valid);
    EXPECT_EQ(blocks.dropped(), 1u);
    EXPECT_NE(&make(0x2000), &block);
    blocks.recycle();
    EXPECT_EQ(blocks.dropped(), 0u);
    EXPECT_NE(&make(0x3000, ops + 1), &block) << "it has no room for that";
    Block& again = make(0x4000);
    EXPECT_EQ(&again, &block);
    EXPECT_TRUE(again.valid);
    EXPECT_EQ(find(0x4000), &again);
    EXPECT_EQ(find(0x1000), nullptr);
    EXPECT_NE(&make(0x5000), &again);
}

TEST_F(DroppedBlocks, LeaveNoLinksToBlocksThatAreGone) {
    Block &from = make(0x1000), &first = make(0x2000), &second = make(0x3000);
    blocks.link(from.links().taken, &first);
    blocks.drop(&from);
    blocks.recycle();
    Block& again = make(0x4000);
    ASSERT_EQ(&again, &from);
    EXPECT_EQ(again.links().taken, nullptr);
    blocks.link(again.links().taken, &second);
    blocks.drop(&first);  // which `from` had led to
    blocks.drop(&second);
    EXPECT_EQ(again.links().taken, nullptr);
}

TEST_F(DroppedBlocks, NeedNoMoreMemoryHoweverManyThereAre) {
    std::size_t before = 0;
    for (int round = 0; round < 100; ++round) {
        for (std::uint64_t i = 0; i < 1000; ++i) {
            Block &from = make(0x10000 + i * 16), &to = make(0x80000 + i * 16);
            blocks.link(from.links().taken, &to);
        }
        blocks.invalidate_all();
        EXPECT_EQ(blocks.dropped(), 2000u);
        blocks.recycle();
        if (round == 0) before = blocks.arena_bytes();
    }
    EXPECT_EQ(blocks.arena_bytes(), before);
    blocks.release();
    EXPECT_EQ(blocks.arena_bytes(), 0u);
    EXPECT_EQ(find(0x10000), nullptr);
    make(0x10000);
}

}  // namespace
}  // namespace backplane::interp
