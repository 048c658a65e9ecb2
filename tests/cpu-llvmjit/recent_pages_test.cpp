// Accesses of hot blocks, which are looked for in the page where the one before was: whether they
// become so, stop being so where that does not pay, and notice when the page is another one.
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RDX, x86::RSI;

struct HotAccesses : ::testing::Test {
    static constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data,
                                   other = data + 0x8'0000, invalidate = code + 0x1000,
                                   reload = code + 0x1100;
    // Many times what it takes to be met often enough.
    static constexpr std::uint64_t long_enough = 4'000'000;

    HotAccesses() {
        auto arena = CodeArena::make(std::size_t{16} << 20);
        interp::testing::TestEngine engine{
            std::make_unique<Tier1Compiler>(interp::testing::test_model(), std::move(*arena)), 1};
        processor = std::make_unique<TestProcessor>(std::size_t{64} << 20, std::move(engine));
        for (std::uint64_t at = 0; at < 0x10'0000; at += 8)
            processor->write<std::uint64_t>(data + at, at * at + 1);
        processor->place(invalidate, {0x0f, 0x01, 0x3b, 0xf4});                // invlpg [rbx];  hlt
        processor->place(reload, {0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8, 0xf4});  // CR3 to itself
    }

    std::uint64_t remakes() { return compiler_of(*processor).counters()[JitCounter::CacheRemakes]; }

    // rdi += [rbx + (rcx & mask)], rcx times.
    void place_sum(std::uint32_t mask) {
        const auto byte = [&](unsigned i) { return static_cast<int>(mask >> 8 * i & 0xff); };
        processor->place(code, {0x89, 0xc8,                                // mov eax, ecx
                                0x25, byte(0), byte(1), byte(2), byte(3),  // and eax, mask
                                0x48, 0x03, 0x3c, 0x03,                    // add rdi, [rbx+rax]
                                0x48, 0xff, 0xc9, 0x75, 0xf0, 0xf4});
    }
    // The same with rcx * 1008h: another page each time.
    void place_scattered_sum(std::uint32_t mask) {
        const auto byte = [&](unsigned i) { return static_cast<int>(mask >> 8 * i & 0xff); };
        processor->place(code,
                         {0x69, 0xc1,    0x08,    0x10,    0,       0,  // imul eax, ecx, 1008h
                          0x25, byte(0), byte(1), byte(2), byte(3),     //
                          0x48, 0x03,    0x3c,    0x03,    0x48,    0xff, 0xc9, 0x75, 0xec, 0xf4});
    }
    // [rbx] = rcx, rcx times.
    void place_store() {
        processor->place(code, {0x48, 0x89, 0x0b, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4});
    }

    bool run(std::uint64_t count, std::uint64_t base = data) {
        (*processor)[RBX] = base;
        (*processor)[RCX] = count;
        (*processor)[RDI] = 0;
        return processor->run_to_halt(code);
    }
    void become_hot() {
        ASSERT_TRUE(run(long_enough));
        ASSERT_GE(remakes(), 1u);
    }
    void call(std::uint64_t where) {
        (*processor)[RBX] = data;
        ASSERT_TRUE(processor->run_to_halt(where));
    }

    std::unique_ptr<TestProcessor> processor;
};

std::uint64_t sum(const TestProcessor& processor, std::uint64_t base, std::uint64_t count,
                  std::uint32_t factor, std::uint32_t mask) {
    std::uint64_t total = 0;
    for (std::uint64_t i = count; i > 0; --i)
        total += processor.read<std::uint64_t>(base +
                                               (static_cast<std::uint32_t>(i) * factor & mask));
    return total;
}

TEST_F(HotAccesses, AreCompiledTwiceMoreAndComeToTheSame) {
    place_sum(0x7ff8);
    become_hot();
    EXPECT_EQ((*processor)[RDI], sum(*processor, data, long_enough, 1, 0x7ff8));
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(run(long_enough));
        EXPECT_EQ((*processor)[RDI], sum(*processor, data, long_enough, 1, 0x7ff8));
    }
    EXPECT_EQ(remakes(), 2u) << "with a counter, and without";
    const NativeBlock* native = native_at(*processor, code);
    ASSERT_TRUE(native);
    EXPECT_TRUE(native->locality.is_hot);
    EXPECT_FALSE(native->locality.is_counted);
    EXPECT_EQ(native->locality.scattered, 0u);
}

TEST_F(HotAccesses, AreLeftAloneWhereTheyAreScattered) {
    place_scattered_sum(0x7fff8);
    become_hot();
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(run(long_enough));
        EXPECT_EQ((*processor)[RDI], sum(*processor, data, long_enough, 0x1008, 0x7fff8));
    }
    EXPECT_EQ(remakes(), 3u) << "with a counter, without what is scattered, and without it";
    const NativeBlock* native = native_at(*processor, code);
    ASSERT_TRUE(native);
    EXPECT_EQ(native->locality.scattered, 1u << 2) << "the third instruction";
}

TEST_F(HotAccesses, AreFoundToBeScatteredLaterToo) {
    place_sum(0x7ff8);
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(run(long_enough));
    ASSERT_EQ(remakes(), 2u);
    // In another page each time.
    for (std::uint64_t i = 0; i < 2000; ++i)
        ASSERT_TRUE(run(1, data + i % 64 * 0x1000));
    EXPECT_EQ(remakes(), 3u);
    const NativeBlock* native = native_at(*processor, code);
    ASSERT_TRUE(native);
    EXPECT_EQ(native->locality.scattered, 1u << 2) << "the third instruction";
}

TEST_F(HotAccesses, SeeWhatIsMappedAnew) {
    place_sum(0xff8);
    become_hot();
    for (const std::uint64_t how : {invalidate, reload}) {
        for (const std::uint64_t to : {other, data}) {
            processor->map(data, to);
            call(how);
            ASSERT_TRUE(run(1000));
            EXPECT_EQ((*processor)[RDI], sum(*processor, to, 1000, 1, 0xff8));
        }
    }
    processor->map(data, data, 0);
    call(invalidate);
    EXPECT_FALSE(run(1000));
    EXPECT_EQ(processor->stopped_in_vector(), 14);
    EXPECT_EQ((*processor)[RCX], 1000u);
}

TEST_F(HotAccesses, SeeThatTheyMayNotWriteAnyMore) {
    place_store();
    become_hot();
    EXPECT_EQ(processor->read<std::uint64_t>(data), 1u);
    processor->map(data, data, 5);
    call(invalidate);
    EXPECT_FALSE(run(1000));
    EXPECT_EQ(processor->stopped_in_vector(), 14);
    EXPECT_EQ((*processor)[RCX], 1000u);
    EXPECT_EQ(processor->read<std::uint64_t>(data), 1u);
}

TEST_F(HotAccesses, SeeThatTheyWriteOverCode) {
    place_store();
    become_hot();
    processor->place(data, {0x48, 0xff, 0xc2, 0xf4});  // inc rdx;  hlt
    (*processor)[RDX] = 0;
    for (int i = 0; i < 20; ++i)
        ASSERT_TRUE(processor->run_to_halt(data));
    EXPECT_EQ((*processor)[RDX], 20u);
    // Counts down to one: ADD [RAX], EAX and then ADD [RAX], AL.
    ASSERT_TRUE(run(3));
    EXPECT_EQ(processor->read<std::uint64_t>(data), 1u);
    processor->write<std::uint8_t>(data + 8, 0xf4);
    (*processor)[RAX] = other;
    (*processor)[RDX] = 0;
    const auto before = processor->read<std::uint32_t>(other);
    ASSERT_TRUE(processor->run_to_halt(data));
    EXPECT_EQ((*processor)[RDX], 0u) << "the code that was there";
    EXPECT_NE(processor->read<std::uint32_t>(other), before);
}

TEST_F(HotAccesses, MayCrossIntoTheNextPage) {
    place_sum(0);
    ASSERT_TRUE(run(long_enough / 2, data + 0xffc));
    EXPECT_EQ((*processor)[RDI], processor->read<std::uint64_t>(data + 0xffc) * (long_enough / 2));
    EXPECT_LE(processor->cpu.counts[static_cast<std::size_t>(Counter::LeftAccess)], 2u)
        << "both pages are known";
    processor->map(data + 0x1000, other);
    (*processor)[RBX] = data + 0x1000;
    ASSERT_TRUE(processor->run_to_halt(invalidate));
    ASSERT_TRUE(run(1, data + 0xffc));
    EXPECT_EQ((*processor)[RDI], processor->read<std::uint32_t>(data + 0xffc) |
                                     std::uint64_t{processor->read<std::uint32_t>(other)} << 32);
    processor->map(data + 0x1000, other, 0);
    (*processor)[RBX] = data + 0x1000;
    ASSERT_TRUE(processor->run_to_halt(invalidate));
    EXPECT_FALSE(run(1, data + 0xffc));
    EXPECT_EQ(processor->stopped_in_vector(), 14);
    EXPECT_EQ(processor->cpu.state.cr2, data + 0x1000);
}

TEST_F(HotAccesses, AreInPlaceBehindOneInTwoPages) {
    // mov rax, [rbx];  mov rdx, [rbx + 8];  mov rsi, [rbx - 8];  add rdi, rax, rdx and rsi; loop
    processor->place(code, {0x48, 0x8b, 0x03, 0x48, 0x8b, 0x53, 0x08, 0x48, 0x8b,
                            0x73, 0xf8, 0x48, 0x01, 0xc7, 0x48, 0x01, 0xd7, 0x48,
                            0x01, 0xf7, 0x48, 0xff, 0xc9, 0x75, 0xe7, 0xf4});
    for (const std::uint64_t at : {0xff4, 0xff9, 0xffc, 0xfff, 0x1004}) {
        ASSERT_TRUE(run(1000, data + at));
        EXPECT_EQ((*processor)[RDI], 1000 * (processor->read<std::uint64_t>(data + at) +
                                             processor->read<std::uint64_t>(data + at + 8) +
                                             processor->read<std::uint64_t>(data + at - 8)))
            << at;
    }
}

// MOVAPS asks for an alignment that nothing in two pages has.
TEST_F(HotAccesses, ThatHaveToBeAlignedAreNotReadFromTwoPages) {
    processor->place(code, {0x0f, 0x28, 0x03, 0xf4});  // movaps xmm0, [rbx]
    EXPECT_FALSE(run(1, data + 0xff8));
    EXPECT_EQ(processor->stopped_in_vector(), 13);
    EXPECT_TRUE(run(1, data + 0xff0));
}

TEST_F(HotAccesses, FaultWhereAnAddressIsNotCanonical) {
    place_sum(0xff8);
    become_hot();
    EXPECT_FALSE(run(1000, 0x8000'0000'0000));
    EXPECT_EQ(processor->stopped_in_vector(), 13);
    EXPECT_EQ((*processor)[RCX], 1000u);
}

}  // namespace
}  // namespace backplane::jit::testing
