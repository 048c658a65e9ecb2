// The memory of translated blocks.
#include "interp/block_cache.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <new>

namespace backplane::interp {
namespace {

constexpr std::size_t chunk = std::size_t{2} << 20;
constexpr std::align_val_t alignment{64};

TEST(BlockArena, GrowsUntilItIsFullAndIsEmptyWhenReleased) {
    BlockArena arena{2 * chunk};
    EXPECT_EQ(arena.used(), 0u);
    arena.allocate(1000);
    arena.allocate(chunk - 1024);
    EXPECT_EQ(arena.used(), chunk);
    EXPECT_FALSE(arena.is_full());
    arena.allocate(1);
    EXPECT_EQ(arena.used(), 2 * chunk);
    EXPECT_TRUE(arena.is_full());
    arena.release();
    EXPECT_EQ(arena.used(), 0u);
    EXPECT_FALSE(arena.is_full());
}

TEST(BlockArena, KeepsAChunkForTheNextBlocks) {
    BlockArena arena{chunk};
    const void* first = arena.allocate(64);
    arena.release();
    // Who else wants memory of this size does not get it.
    void* other = ::operator new[](chunk, alignment);
    EXPECT_EQ(arena.allocate(64), first);
    ::operator delete[](other, alignment);
}

}  // namespace
}  // namespace backplane::interp
