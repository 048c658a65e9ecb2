// Instructions that begin in one page and end in another: whether they are compiled, and notice
// that the second page is another one.
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI;

struct InTwoPages : ::testing::Test {
    static constexpr std::uint64_t first = TestProcessor::code + 0x4000, second = first + 0x1000,
                                   other = first + 0x3000, alias = first + 0x10'0000,
                                   routines = TestProcessor::code, start = second - 3;
    static constexpr std::uint64_t invalidate = routines, reload = routines + 0x20,
                                   store = routines + 0x40;

    InTwoPages() {
        processor->place(start, {0x48, 0x81, 0xc7});  // add rdi, 7:  the number is in the next page
        for (const std::uint64_t page : {second, other})
            processor->place(page, {7, 0, 0, 0, 0x48, 0xff, 0xc9, 0x75, 0xf4, 0xf4});
        processor->write<std::uint32_t>(other, 11);
        processor->place(invalidate, {0x0f, 0x01, 0x3b, 0xf4});                // invlpg [rbx];  hlt
        processor->place(reload, {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xf4});  // CR3 to itself
        processor->place(store, {0x89, 0x03, 0xf4});                           // mov [rbx], eax
    }

    // rdi += number, rcx times.
    bool run(std::uint64_t count, std::uint64_t from = start) {
        (*processor)[RCX] = count;
        (*processor)[RDI] = 0;
        return processor->run_to_halt(from);
    }
    std::uint64_t sum() { return (*processor)[RDI]; }
    void call(std::uint64_t where, std::uint64_t rbx) {
        (*processor)[RBX] = rbx;
        ASSERT_TRUE(processor->run_to_halt(where));
    }
    std::uint64_t count_of(Counter counter) {
        return processor->cpu.counts[static_cast<std::size_t>(counter)];
    }

    std::unique_ptr<TestProcessor> processor = make_compiling_processor();
};

TEST_F(InTwoPages, AreCompiled) {
    ASSERT_TRUE(run(1000));
    EXPECT_EQ(sum(), 7000u);
    ASSERT_TRUE(native_at(*processor, start));
    const std::uint64_t entries = count_of(Counter::CompiledEntries);
    ASSERT_TRUE(run(1000));
    EXPECT_EQ(sum(), 7000u);
    EXPECT_LE(count_of(Counter::CompiledEntries), entries + 2) << "once, and for HLT";
}

TEST_F(InTwoPages, SeeTheSecondOneMappedAnew) {
    ASSERT_TRUE(run(1000));
    for (const std::uint64_t how : {invalidate, reload})
        for (const auto& [to, number] : {std::pair{other, 11u}, {second, 7u}, {other, 11u}}) {
            processor->map(second, to);
            call(how, second);
            ASSERT_TRUE(run(1000));
            EXPECT_EQ(sum(), 1000u * number);
        }
}

TEST_F(InTwoPages, SeeThatTheSecondOneIsGone) {
    ASSERT_TRUE(run(1000));
    processor->map(second, second, 0);
    call(invalidate, second);
    const std::uint64_t before = processor->cpu.instructions();
    EXPECT_FALSE(run(1000));
    EXPECT_EQ(processor->stopped_in_vector(), 14);
    EXPECT_EQ(processor->cpu.state.cr2, second);
    EXPECT_EQ(sum(), 0u);
    EXPECT_LE(processor->cpu.instructions(), before + 1) << "the HLT of the handler";
}

TEST_F(InTwoPages, SeeTheFirstOneMappedTwice) {
    processor->map(alias, first);
    processor->map(alias + 0x1000, other);
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(run(1000));
        EXPECT_EQ(sum(), 7000u);
        ASSERT_TRUE(run(1000, start - first + alias));
        EXPECT_EQ(sum(), 11000u);
    }
}

TEST_F(InTwoPages, SeeThatTheSecondOneIsWritten) {
    ASSERT_TRUE(run(1000));
    (*processor)[RAX] = 13;
    call(store, second);
    ASSERT_TRUE(run(1000));
    EXPECT_EQ(sum(), 13000u);
}

// The links of compiled code are forgotten together when their keys have all been used.
TEST_F(InTwoPages, SeeItAfterManyOtherMappings) {
    ASSERT_TRUE(run(10));
    for (int i = 0; i < 3000; ++i) {
        const bool is_other = i % 3 == 1;
        processor->map(second, is_other ? other : second);
        call(reload, 0);
        ASSERT_TRUE(run(10));
        ASSERT_EQ(sum(), is_other ? 110u : 70u) << i;
    }
}

}  // namespace
}  // namespace backplane::jit::testing
