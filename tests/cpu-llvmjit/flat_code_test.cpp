// Which 32-bit code is compiled; and what is different there.
#include "code32_processor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RCX, x86::RDI, x86::RSI, x86::RSP;
using P = Code32Processor;

TEST(FlatCode, IsCompiled) {
    P processor;
    EXPECT_TRUE(processor.run32({0x41, 0xf4}));  // inc ecx;  hlt
    EXPECT_TRUE(processor.cpu.block->is_compiled());
}

TEST(FlatCode, IsLeftToTheInterpreterOnceItIsNotFlat) {
    P processor;
    for (const int load : {0xc0, 0xd0, 0xd8}) {  // mov es, ss or ds, eax;  inc ecx;  hlt
        processor[RAX] = P::based;
        EXPECT_TRUE(processor.run32({0x8e, load, 0x41, 0xf4}));
        EXPECT_FALSE(processor.cpu.block->is_compiled()) << load;
    }
    processor[RAX] = P::based;
    EXPECT_TRUE(processor.run32({0x8e, 0xe8, 0x41, 0xf4})) << "GS";
    EXPECT_TRUE(processor.cpu.block->is_compiled());
}

struct FlatStrings : ::testing::Test {
    static constexpr std::uint64_t area = P::data, size = 0x8000;
    // What 32-bit code leaves in the upper halves of registers that it does not write.
    static constexpr std::uint64_t upper = 0xdead'beef'0000'0000;

    FlatStrings() {
        for (std::uint64_t i = 0; i < size; ++i)
            memory()[i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
    }

    std::uint8_t* memory() { return &processor.bus.ram[area]; }
    std::vector<std::uint8_t> bytes() { return {memory(), memory() + size}; }

    void run(std::initializer_list<int> code, std::uint64_t count, std::uint64_t from,
             std::uint64_t to) {
        processor[RAX] = 0x4433'2211;
        processor[RCX] = upper | count;
        processor[RSI] = upper | (area + from);
        processor[RDI] = upper | (area + to);
        ASSERT_TRUE(processor.run32(code));
        ASSERT_TRUE(processor.cpu.block->is_compiled());
    }

    P processor;
};

TEST_F(FlatStrings, Copy) {
    for (const std::uint64_t to : {3u, 100u, 0x1ffdu, 0x4001u})
        for (const std::uint64_t count : {1u, 2u, 1500u}) {
            auto expected = bytes();
            for (std::uint64_t i = 0; i < count; ++i)
                std::memmove(&expected[to + i * 4], &expected[96 + i * 4], 4);
            run({0xf3, 0xa5, 0xf4}, count, 96, to);  // rep movsd;  hlt
            EXPECT_TRUE(bytes() == expected) << count << " to " << to;
            EXPECT_EQ(processor[RCX], 0u);
            EXPECT_EQ(processor[RSI], area + 96 + count * 4);
            EXPECT_EQ(processor[RDI], area + to + count * 4);
        }
}

TEST_F(FlatStrings, Fill) {
    auto expected = bytes();
    std::fill_n(&expected[0xff0], 5000, 0x11);
    run({0xf3, 0xaa, 0xf4}, 5000, 0, 0xff0);  // rep stosb;  hlt
    EXPECT_TRUE(bytes() == expected);
    EXPECT_EQ(processor[RDI], area + 0xff0 + 5000);
}

TEST_F(FlatStrings, DoNothingWithoutACount) {
    const auto before = bytes();
    run({0xf3, 0xa4, 0xf4}, 0, 0, 100);  // rep movsb;  hlt
    EXPECT_TRUE(bytes() == before);
    EXPECT_EQ(processor[RCX], upper);
    EXPECT_EQ(processor[RDI], upper | (area + 100));
}

TEST_F(FlatStrings, MakeSingleSteps) {
    const auto left = [&] {
        return processor.cpu.counts[static_cast<std::size_t>(Counter::LeftUntranslated)];
    };
    run({0xa4, 0xab, 0xad, 0xf4}, 5, 16, 0x2000);  // movsb;  stosd;  lodsd;  hlt
    EXPECT_EQ(memory()[0x2000], memory()[16]);
    EXPECT_EQ(std::memcmp(&memory()[0x2001], "\x11\x22\x33\x44", 4), 0);
    EXPECT_EQ(std::memcmp(&processor[RAX], &memory()[17], 4), 0);
    EXPECT_EQ(processor[RSI], area + 21);
    EXPECT_EQ(processor[RDI], area + 0x2005);
    EXPECT_EQ(processor[RCX], upper | 5);
    const auto before = left();
    ASSERT_TRUE(processor.run32());
    EXPECT_LE(left(), before + 1) << "HLT";
}

// To and from what ends with the last page of 4 GiB: the next address is 0.
TEST_F(FlatStrings, ComeToTheEndOfTheAddressSpace) {
    constexpr std::uint64_t last = 0xffff'f000;
    processor.map(last, area);
    processor.map(0, area + 0x1000);
    processor[RAX] = 0x77;
    for (int round = 0; round < 2; ++round) {
        processor[RCX] = 0x20;
        processor[RDI] = 0xffff'fff0;
        ASSERT_TRUE(processor.run32({0xf3, 0xaa, 0xf4}));  // rep stosb;  hlt
        EXPECT_EQ(processor[RDI], 0x10u);
    }
    EXPECT_TRUE(std::all_of(memory() + 0xff0, memory() + 0x1010,
                            [](std::uint8_t byte) { return byte == 0x77; }));
}

}  // namespace
}  // namespace backplane::interp::testing
