// The memory of translated blocks.
#include "interp/block_cache.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <new>

namespace backplane::interp {
namespace {

constexpr std::size_t mebibyte = std::size_t{1} << 20;
constexpr std::align_val_t alignment{64};

TEST(BlockArena, GrowsUntilItIsFullAndIsEmptyWhenReleased) {
    BlockArena arena{2 * mebibyte};
    EXPECT_EQ(arena.used(), 0u);
    arena.allocate(1000);
    arena.allocate(mebibyte - 1024);
    EXPECT_EQ(arena.used(), mebibyte);
    EXPECT_FALSE(arena.is_full());
    arena.allocate(1);
    EXPECT_EQ(arena.used(), 2 * mebibyte);
    EXPECT_TRUE(arena.is_full());
    arena.release();
    EXPECT_EQ(arena.used(), 0u);
    EXPECT_FALSE(arena.is_full());
}

TEST(BlockArena, KeepsAChunkForTheNextBlocks) {
    BlockArena arena{mebibyte};
    const void* first = arena.allocate(64);
    arena.release();
    // Who else wants memory of this size does not get it.
    void* other = ::operator new[](mebibyte, alignment);
    EXPECT_EQ(arena.allocate(64), first);
    ::operator delete[](other, alignment);
}

}  // namespace
}  // namespace backplane::interp
