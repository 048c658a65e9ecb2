// DR0 to DR3 and DR7 as questions about addresses.
#include "x86/breakpoints.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

enum Kind : std::uint64_t { Code = 0, Written = 1, Port = 2, Accessed = 3 };
enum Length : std::uint64_t { One = 0, Two = 1, Eight = 2, Four = 3 };

CpuState armed(unsigned number, std::uint64_t address, Kind kind, Length length) {
    CpuState state;
    state.cr4 = 8;
    state.dr[number] = address;
    state.dr[7] = 0x400 | 1u << (2 * number) | (kind | length << 2) << (16 + 4 * number);
    return state;
}

TEST(Breakpoints, AreNoneUntilEnabled) {
    CpuState state = armed(0, 0x1000, Code, One);
    EXPECT_TRUE(Breakpoints{state}.has_code());
    state.dr[7] &= ~std::uint64_t{3};
    EXPECT_FALSE(Breakpoints{state}.any());
    EXPECT_EQ(Breakpoints{state}.on_instruction(0x1000), 0u);
    state.dr[7] |= 2;
    EXPECT_EQ(Breakpoints{state}.on_instruction(0x1000), 1u);
}

TEST(Breakpoints, OnDataCoverTheirAlignedBytes) {
    const struct {
        Length length;
        std::uint64_t bytes;
    } lengths[] = {{One, 1}, {Two, 2}, {Four, 4}, {Eight, 8}};
    for (const auto [length, bytes] : lengths) {
        const std::uint64_t start = 0x1238;
        const Breakpoints found{armed(2, start + bytes - 1, Written, length)};
        for (unsigned size : {1u, 2u, 4u, 8u, 16u})
            for (std::uint64_t at = start - 20; at < start + 20; ++at) {
                const bool overlaps = at < start + bytes && at + size > start;
                EXPECT_EQ(found.on_access(at, size, true), overlaps ? 4u : 0u)
                    << bytes << " bytes, access of " << size << " at " << at;
            }
        EXPECT_EQ(found.on_access(start, 1, false), 0u) << "only writes";
        EXPECT_TRUE(found.on_data_page(0x1000));
        EXPECT_FALSE(found.on_data_page(0x2000));
        EXPECT_FALSE(found.has_code());
    }
}

TEST(Breakpoints, OnAccessHitReadsToo) {
    const Breakpoints found{armed(3, 0x2000, Accessed, Four)};
    EXPECT_EQ(found.on_access(0x2003, 1, false), 8u);
    EXPECT_EQ(found.on_access(0x2003, 1, true), 8u);
    EXPECT_EQ(found.on_instruction(0x2000), 0u);
}

TEST(Breakpoints, OnPortsExistWithCr4De) {
    CpuState state = armed(1, 0x3f8, Port, Two);
    EXPECT_EQ(Breakpoints{state}.on_port(0x3f9, 1), 2u);
    EXPECT_EQ(Breakpoints{state}.on_port(0x3f6, 4), 2u);
    EXPECT_EQ(Breakpoints{state}.on_port(0x3fa, 1), 0u);
    EXPECT_EQ(Breakpoints{state}.on_access(0x3f8, 1, true), 0u);
    state.cr4 = 0;
    EXPECT_FALSE(Breakpoints{state}.any());
}

TEST(Breakpoints, OfOneAddressAreToldTogether) {
    CpuState state = armed(0, 0x1000, Code, One);
    state.dr[3] = 0x1000;
    state.dr[7] |= 1u << 6;
    EXPECT_EQ(Breakpoints{state}.on_instruction(0x1000), 9u);
}

}  // namespace
}  // namespace backplane::x86
