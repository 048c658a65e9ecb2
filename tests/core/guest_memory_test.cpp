#include "runtime/guest_memory.h"

#include <gtest/gtest.h>

using backplane::runtime::GuestMemory;

TEST(GuestMemory, StartsAsZerosWithoutCommittingThem) {
    auto memory = GuestMemory::allocate(std::uint64_t{64} << 30);
    ASSERT_TRUE(memory) << memory.error();
    EXPECT_EQ(memory->bytes().size(), std::uint64_t{64} << 30);
    EXPECT_EQ(memory->committed(), 0u);
}

TEST(GuestMemory, CommitsWhatIsTouched) {
    auto memory = GuestMemory::allocate(std::uint64_t{8} << 30);
    ASSERT_TRUE(memory) << memory.error();
    memory->bytes()[0] = std::byte{1};
    memory->bytes()[(std::uint64_t{7} << 30) + 5] = std::byte{2};
    // Two pages, which the host may have made huge ones.
    EXPECT_GE(memory->committed(), 2u * 4096);
    EXPECT_LE(memory->committed(), 2u * (2 << 20));
}

TEST(GuestMemory, SaysWhyAnImpossibleSizeIsRefused) {
    const auto memory = GuestMemory::allocate(std::uint64_t{1} << 60);
    ASSERT_FALSE(memory);
    EXPECT_EQ(memory.error(),
              "the host cannot reserve 1099511627776 MiB of memory: Cannot allocate memory");
}
