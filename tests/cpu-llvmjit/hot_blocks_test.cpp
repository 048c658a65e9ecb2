// Which blocks are compiled, when, and how far they go.
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace backplane::jit::testing {
namespace {

using x86::RBX, x86::RCX, x86::RDX;

struct HotBlocks : ::testing::Test {
    static constexpr std::uint64_t code = TestProcessor::code;
    static constexpr std::uint32_t threshold = 10;

    void run(std::uint64_t iterations) {
        for (const auto gpr : {RBX, RDX})
            (*processor)[gpr] = 0;
        (*processor)[RCX] = iterations;
        ASSERT_TRUE(processor->run_to_halt());
    }
    bool is_compiled(std::uint64_t place) { return native_at(*processor, place) != nullptr; }

    std::unique_ptr<TestProcessor> processor = make_compiling_processor(threshold);
};

TEST_F(HotBlocks, WaitForOthersUntilTheyAreExecutedAsOftenAgain) {
    processor->place(code, {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xf4});  // again: dec rcx;  jnz again
    run(threshold);
    EXPECT_FALSE(is_compiled(code));
    run(threshold - 1);
    EXPECT_FALSE(is_compiled(code));
    run(1);
    EXPECT_TRUE(is_compiled(code));
}

TEST_F(HotBlocks, WaitNoLongerWhereThereAreMany) {
    constexpr unsigned count = 20;
    std::vector<std::uint8_t> program;
    for (unsigned i = 0; i < count; ++i)
        program.insert(program.end(), {0x48, 0xff, 0xc3, 0xeb, 0x00});  // inc rbx;  jmp next
    // dec rcx;  jnz again;  hlt
    const auto back = static_cast<std::int32_t>(-(std::int32_t{count} * 5 + 9));
    program.insert(program.end(), {0x48, 0xff, 0xc9, 0x0f, 0x85});
    for (unsigned i = 0; i < 4; ++i)
        program.push_back(static_cast<std::uint8_t>(back >> 8 * i));
    program.push_back(0xf4);
    processor->place(code, program);
    run(threshold);
    EXPECT_EQ((*processor)[RBX], threshold * count);
    unsigned compiled = 0;
    for (unsigned i = 0; i < count; ++i)
        compiled += is_compiled(code + 5 * i);
    EXPECT_EQ(compiled, 16u);
    run(2 * threshold);
    for (unsigned i = 0; i < count; ++i)
        EXPECT_TRUE(is_compiled(code + 5 * i)) << i;
}

TEST_F(HotBlocks, GoOnBehindBranchesThatAreSeldomTaken) {
    // again: inc rbx;  test rcx, rcx;  js +0x10;  inc rdx;  dec rcx;  jnz again;  hlt
    processor->place(code, {0x48, 0xff, 0xc3, 0x48, 0x85, 0xc9, 0x78, 0x10, 0x48, 0xff, 0xc2, 0x48,
                            0xff, 0xc9, 0x75, 0xf0, 0xf4});
    run(3 * threshold);
    ASSERT_TRUE(is_compiled(code));
    EXPECT_EQ(native_at(*processor, code)->block->instruction_count, 6);
    EXPECT_FALSE(is_compiled(code + 8)) << "which is part of the other one";
    run(1000);
    EXPECT_EQ((*processor)[RBX], 1000u);
    EXPECT_EQ((*processor)[RDX], 1000u);
}

TEST_F(HotBlocks, EndWithBranchesThatAreOftenTaken) {
    // again: inc rbx;  test cl, 1;  jnz +3;  inc rdx;  dec rcx;  jnz again;  hlt
    processor->place(code, {0x48, 0xff, 0xc3, 0xf6, 0xc1, 0x01, 0x75, 0x03, 0x48, 0xff, 0xc2, 0x48,
                            0xff, 0xc9, 0x75, 0xf0, 0xf4});
    run(6 * threshold);
    ASSERT_TRUE(is_compiled(code));
    EXPECT_EQ(native_at(*processor, code)->block->instruction_count, 3);
    EXPECT_TRUE(is_compiled(code + 11));
    run(1000);
    EXPECT_EQ((*processor)[RBX], 1000u);
    EXPECT_EQ((*processor)[RDX], 500u);
}

// One that waits is written over, and the others are compiled as if nothing had happened.
TEST_F(HotBlocks, MayChangeWhileTheyWait) {
    // again: inc rbx;  jmp +0;  dec rcx;  jnz again;  hlt
    processor->place(code, {0x48, 0xff, 0xc3, 0xeb, 0x00, 0x48, 0xff, 0xc9, 0x75, 0xf6, 0xf4});
    run(threshold);
    EXPECT_FALSE(is_compiled(code));
    processor->place(code, {0x48, 0xff, 0xc2});  // inc rdx
    processor->cpu.invalidate_physical(code, 3);
    run(threshold);
    EXPECT_TRUE(is_compiled(code + 5));
    EXPECT_EQ((*processor)[RBX], 0u);
    EXPECT_EQ((*processor)[RDX], threshold);
    run(2 * threshold);
    EXPECT_TRUE(is_compiled(code));
    EXPECT_EQ((*processor)[RDX], 2 * threshold);
}

// What is executed once takes all memory for blocks, several times.
TEST_F(HotBlocks, StayWhenThereIsNoRoomForColdOnes) {
    constexpr std::uint64_t cold = 0x40'0000;
    constexpr unsigned count = 50'000;
    processor = make_compiling_processor(threshold, std::size_t{4} << 20);
    processor->place(code, {0x48, 0xff, 0xc9, 0x75, 0xfb, 0xf4});  // again: dec rcx;  jnz again
    run(100);
    const NativeBlock* native = native_at(*processor, code);
    ASSERT_NE(native, nullptr);
    std::vector<std::uint8_t> program;
    for (unsigned i = 0; i < count; ++i)
        program.insert(program.end(), {0x48, 0xff, 0xc3, 0xeb, 0x00});  // inc rbx;  jmp next
    program.push_back(0xf4);
    processor->place(cold, program);
    for (int round = 0; round < 2; ++round) {
        (*processor)[RBX] = 0;
        ASSERT_TRUE(processor->run_to_halt(cold));
        EXPECT_EQ((*processor)[RBX], count);
        EXPECT_EQ(block_at(*processor, cold), nullptr) << "its memory is used by others";
        EXPECT_EQ(native_at(*processor, code), native);
    }
    run(100);
    EXPECT_EQ(native_at(*processor, code), native);
}

}  // namespace
}  // namespace backplane::jit::testing
