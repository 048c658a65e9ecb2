// Where blocks end, in each size of code.
#include "profile/block_end.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace backplane::profile {
namespace {

std::optional<std::uint64_t> end_of(const std::vector<std::uint8_t>& code, std::uint64_t address,
                                    unsigned code_size) {
    return block_end(std::as_bytes(std::span{code}), address, code_size);
}

TEST(BlockEnd, IsBehindTheNextBranch) {
    // inc rbx; cmp rbx, rax; jne; nop
    const std::vector<std::uint8_t> code{0x48, 0xff, 0xc3, 0x48, 0x39, 0xc3, 0x75, 0xf8, 0x90};
    EXPECT_EQ(end_of(code, 0x1000, 64), 0x1008u);
    const std::vector<std::uint8_t> rest{code.begin() + 3, code.end()};
    EXPECT_EQ(end_of(rest, 0x1003, 64), 0x1008u) << "the same from each place within";
    EXPECT_EQ(end_of({0x90, 0xc3}, 0, 64), 2u) << "ret";
    EXPECT_EQ(end_of({0x90, 0x0f, 0x05}, 0, 64), 3u) << "syscall";
    EXPECT_EQ(end_of({0xfb, 0xf4}, 0, 64), 2u) << "hlt";
    EXPECT_EQ(end_of({0xe8, 0, 0, 0, 0}, 0, 64), 5u) << "call";
}

TEST(BlockEnd, DependsOnTheSizeOfCode) {
    // 40 is a REX prefix of 64-bit code, and inc eax of others; e9 takes two bytes in 16-bit code.
    const std::vector<std::uint8_t> code{0x40, 0xe9, 0x00, 0x00, 0x00, 0x00};
    EXPECT_EQ(end_of(code, 0, 16), 4u);
    EXPECT_EQ(end_of(code, 0, 32), 6u);
    EXPECT_EQ(end_of(code, 0, 64), 6u);
}

TEST(BlockEnd, IsUnknownWhereCodeEndsBefore) {
    EXPECT_FALSE(end_of({}, 0, 64));
    EXPECT_FALSE(end_of({0x90, 0x90}, 0, 64));
    EXPECT_FALSE(end_of({0x90, 0xe8, 0x00}, 0, 64)) << "within an instruction";
    EXPECT_FALSE(end_of({0x06}, 0, 64)) << "no instruction";
}

}  // namespace
}  // namespace backplane::profile
