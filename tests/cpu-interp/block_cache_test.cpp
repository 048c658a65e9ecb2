// Blocks whose code has changed: which they are, that they are not found any more, and that their
// memory is used again.
#include "interp/block_cache.h"
#include "x86/paging.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

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

// Writes among code, to its bytes and beside them: what they drop is what has one of the bytes.
TEST(WrittenCode, IsDroppedAndNothingBesideIt) {
    constexpr std::uint64_t page = x86::page_size, region = 0x10000;
    struct Code {
        Block* block;
        std::vector<std::uint64_t> bytes;  // where each is
    };
    BlockCache blocks{std::size_t{64} << 20, [](void*, std::uint64_t, bool) {}, nullptr};
    std::mt19937_64 random{1};
    std::vector<Code> all;
    for (int round = 0; round < 100'000; ++round) {
        if (all.size() < 60) {
            Block* block = blocks.allocate(1);
            block->physical = region + random() % (2 * page);
            block->bytes = static_cast<std::uint16_t>(1 + random() % 200);
            const std::uint64_t in_first = page - block->physical % page;
            block->crosses_page = block->bytes > in_first;
            // Any page may follow, also the same.
            block->second_page = region + random() % 2 * page;
            std::vector<std::uint64_t> bytes;
            for (std::uint64_t i = 0; i < block->bytes; ++i)
                bytes.push_back(i < in_first ? block->physical + i
                                             : block->second_page + i - in_first);
            blocks.insert(block);
            all.push_back({block, std::move(bytes)});
        }
        const std::uint64_t start = region + random() % (2 * page);
        const std::uint64_t most = std::min(page - start % page, 1 + random() % 100);
        const std::uint64_t length = random() % 8 == 0 ? most : std::min<std::uint64_t>(most, 8);
        const auto is_written = [&](const Code& code) {
            return std::ranges::any_of(
                code.bytes, [&](std::uint64_t at) { return at >= start && at < start + length; });
        };
        EXPECT_EQ(blocks.invalidate(start, length), std::ranges::count_if(all, is_written));
        for (const Code& code : all)
            ASSERT_EQ(code.block->valid, !is_written(code)) << round;
        std::erase_if(all, is_written);
        blocks.recycle();
    }
}

}  // namespace
}  // namespace backplane::interp
