// Compiled code within bounds: what is dropped when there is no room, and that nothing leads there
// any more.
#include "compiled_code.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

namespace backplane::jit::testing {
namespace {

using x86::RBX, x86::RCX, x86::RDX;
constexpr std::uint64_t code = TestProcessor::code;

// Knows what is in the memory, from being told.
class Inventory final : public CodeWatcher {
public:
    void installed(const InstalledCode& code) override {
        add(code.start, code.bytes);
        add(code.cold_start, code.cold_bytes);
        ++blocks;
    }
    void released(const ReleasedCode& code) override {
        ++releases;
        remove(code.start, code.bytes);
        remove(code.cold_start, code.cold_bytes);
    }

    std::map<const std::uint8_t*, std::size_t> pieces;
    unsigned blocks = 0, releases = 0;

private:
    void add(const std::uint8_t* start, std::size_t bytes) {
        const auto [piece, is_new] = pieces.emplace(start, bytes);
        ASSERT_TRUE(is_new);
        if (piece != pieces.begin())
            EXPECT_LE(std::prev(piece)->first + std::prev(piece)->second, start);
        if (const auto next = std::next(piece); next != pieces.end())
            EXPECT_LE(start + bytes, next->first);
    }
    void remove(const std::uint8_t* start, std::size_t bytes) {
        const auto first = pieces.lower_bound(start), end = pieces.lower_bound(start + bytes);
        EXPECT_NE(first, end) << "nothing was there";
        pieces.erase(first, end);
    }
};

struct SmallCodeCache : ::testing::Test {
    static constexpr std::uint64_t distance = 16;

    void make(std::size_t bytes, std::size_t blocks) {
        auto arena = CodeArena::make(bytes);
        interp::testing::TestEngine engine{
            std::make_unique<Tier1Compiler>(interp::testing::test_model(), std::move(*arena),
                                            blocks),
            1};
        processor = std::make_unique<TestProcessor>(std::size_t{64} << 20, std::move(engine));
        compiler_of(*processor).watch(inventory);
    }

    // inc rbx, and on to the next; the last one halts.
    void place_chain(std::uint64_t start, unsigned blocks) {
        for (unsigned i = 0; i < blocks; ++i)
            processor->place(start + i * distance, {0x48, 0xff, 0xc3, 0xeb, distance - 5});
        processor->place(start + blocks * distance, {0xf4});
    }
    void run_chain(std::uint64_t start, unsigned blocks) {
        (*processor)[RBX] = 0;
        ASSERT_TRUE(processor->run_to_halt(start));
        EXPECT_EQ((*processor)[RBX], blocks);
    }
    bool has_code(std::uint64_t physical) { return native_at(*processor, physical) != nullptr; }
    std::uint64_t compiled(JitCounter which) { return compiler_of(*processor).counters()[which]; }

    Inventory inventory;
    std::unique_ptr<TestProcessor> processor;
};

TEST_F(SmallCodeCache, KeepsAsManyBlocksAsItMay) {
    make(std::size_t{1} << 20, 100);
    place_chain(code, 1000);
    for (int i = 0; i < 3; ++i) {
        run_chain(code, 1000);
        EXPECT_LE(compiled(JitCounter::CacheBlocks), 100u);
        EXPECT_GE(compiled(JitCounter::CacheBlocks), 75u);
    }
    EXPECT_EQ(compiled(JitCounter::Tier1Blocks),
              compiled(JitCounter::CacheBlocks) + compiled(JitCounter::CacheEvictions));
    EXPECT_GT(compiled(JitCounter::CacheEvictions), 2500u);
    EXPECT_EQ(compiled(JitCounter::CacheInvalidations), 0u);
    EXPECT_EQ(processor->cpu.counters()[Counter::RefusedBlocks], 0u) << "full is not refused";
    EXPECT_EQ(inventory.pieces.size(), 2 * compiled(JitCounter::CacheBlocks));
}

TEST_F(SmallCodeCache, KeepsAsManyBytesAsItMay) {
    constexpr std::size_t bytes = std::size_t{256} << 10;
    make(bytes, 1'000'000);
    place_chain(code, 5000);
    for (int i = 0; i < 2; ++i) {
        run_chain(code, 5000);
        EXPECT_LE(compiled(JitCounter::CacheUsed), bytes);
        EXPECT_GT(compiled(JitCounter::CacheUsed), bytes / 2);
    }
    EXPECT_GT(compiled(JitCounter::CacheEvictions), 1000u);
    EXPECT_GT(inventory.releases, 4u);
    // Each is still found by where its code is.
    const Tier1Compiler& compiler = compiler_of(*processor);
    unsigned found = 0;
    for (unsigned i = 0; i <= 5000; ++i) {
        const NativeBlock* native = native_at(*processor, code + i * distance);
        if (!native) continue;
        ++found;
        EXPECT_EQ(compiler.block_at(native->start), native);
        EXPECT_EQ(compiler.block_at(native->cold_end - 1), native);
    }
    EXPECT_EQ(found, compiled(JitCounter::CacheBlocks));
}

TEST_F(SmallCodeCache, DropsTheOldestQuarter) {
    make(std::size_t{1} << 20, 100);
    constexpr std::uint64_t other = code + 0x8000;
    place_chain(code, 60);
    place_chain(other, 60);
    // Twice, as a block that finds no room is compiled when it is next executed.
    run_chain(code, 60);
    run_chain(code, 60);
    EXPECT_EQ(compiled(JitCounter::CacheEvictions), 0u);
    run_chain(other, 60);
    run_chain(other, 60);
    EXPECT_EQ(compiled(JitCounter::CacheEvictions), 25u);
    EXPECT_EQ(inventory.releases, 1u);
    for (unsigned i = 0; i < 60; ++i)
        EXPECT_EQ(has_code(code + i * distance), i >= 25) << i;
    EXPECT_TRUE(has_code(other));
}

TEST_F(SmallCodeCache, CountsWhatTheGuestChangedAsNoEviction) {
    make(std::size_t{1} << 20, 100);
    place_chain(code, 40);
    run_chain(code, 40);
    run_chain(code, 40);
    processor->cpu.invalidate_physical(code, 10 * distance);
    EXPECT_EQ(compiled(JitCounter::CacheInvalidations), 10u);
    EXPECT_EQ(compiled(JitCounter::CacheBlocks), 31u) << "with that of HLT";
    run_chain(code, 40);
    place_chain(code + 0x8000, 60);
    run_chain(code + 0x8000, 60);
    run_chain(code + 0x8000, 60);
    EXPECT_EQ(compiled(JitCounter::CacheEvictions), 15u) << "of the 25 oldest ten were gone";
}

TEST_F(SmallCodeCache, LeavesBlocksThatNeverFitToTheInterpreter) {
    make(std::size_t{24} << 10, 1000);
    // vmovups ymm0, [rsi + n] and back, 32 times;  inc rbx;  hlt
    std::vector<std::uint8_t> bytes;
    for (unsigned i = 0; i < 32; ++i)
        for (const unsigned opcode : {0x10u, 0x11u})
            for (const unsigned byte : {0xc5u, 0xfcu, opcode, 0x86u, i * 40 & 0xff, i >> 2, 0u, 0u})
                bytes.push_back(static_cast<std::uint8_t>(byte));
    for (const std::uint8_t byte : {0x48, 0xff, 0xc3, 0xf4})
        bytes.push_back(byte);
    processor->place(code, bytes);
    (*processor)[x86::RSI] = TestProcessor::data;
    processor->cpu.state.cr4 |= 1 << 18;
    processor->cpu.state.xcr0 = 7;
    processor->cpu.state_replaced();
    for (int i = 0; i < 3; ++i)
        run_chain(code, 1);
    EXPECT_FALSE(has_code(code));
    EXPECT_EQ(processor->cpu.counters()[Counter::RefusedBlocks], 1u) << "it is asked once";
}

// Blocks that are linked in any order, both ways of conditional branches too, executed for long in
// a cache that holds a part of them: the way through them is as always.
TEST_F(SmallCodeCache, CutsAllWaysToWhatItDrops) {
    constexpr unsigned blocks = 2000, size = 32;
    std::mt19937 random{7};
    std::vector<std::uint64_t> order(blocks);
    std::iota(order.begin(), order.end(), 0);
    const auto place = [&](TestProcessor& to) {
        for (unsigned i = 0; i < blocks; ++i) {
            const std::uint64_t at = code + order[i] * size;
            // The first target leads to a neighbour here and there, as it is found by chance.
            const std::uint64_t target = code + order[(i + 1) % blocks] * size;
            const std::uint64_t side = code + order[(i + 7) % blocks] * size;
            const auto relative = [](std::uint64_t from, std::uint64_t goal) {
                return static_cast<std::uint32_t>(goal - from);
            };
            // lea edx, [rdx * 5 + i];  bt edx, 9;  jc side;  dec ecx;  jz out;  jmp target
            to.place(at, {0x8d, 0x94, 0x92, static_cast<int>(i & 0xff), static_cast<int>(i >> 8), 0,
                          0, 0x0f, 0xba, 0xe2, 0x09, 0x0f, 0x82});
            to.write(at + 13, relative(at + 17, side));
            to.place(at + 17, {0xff, 0xc9, 0x74, 0x05, 0xe9});
            to.write(at + 22, relative(at + 26, target));
            to.place(at + 26, {0xf4});
        }
    };
    const auto run = [&](TestProcessor& on) {
        on[RCX] = 40'000;
        on[RDX] = 1;
        ASSERT_TRUE(on.run_to_halt());
    };
    TestProcessor interpreted{std::size_t{64} << 20, interp::testing::TestEngine{}};
    for (const std::size_t limit : {50, 333, 1000}) {
        // The next one is mostly nearby, in the same page: those are linked.
        for (unsigned i = 0; i + 64 <= blocks; i += 64)
            std::ranges::shuffle(order.begin() + i, order.begin() + i + 64, random);
        std::ranges::swap(order[0], *std::ranges::find(order, 0u));
        place(interpreted);
        interpreted.cpu.invalidate_physical(code, blocks * size);
        run(interpreted);
        make(std::size_t{1} << 20, limit);
        place(*processor);
        run(*processor);
        EXPECT_EQ((*processor)[RDX], interpreted[RDX]) << limit;
        EXPECT_EQ(processor->cpu.state.rip, interpreted.cpu.state.rip) << limit;
        EXPECT_EQ(processor->cpu.instructions(), interpreted.cpu.instructions()) << limit;
        EXPECT_GT(compiled(JitCounter::CacheEvictions), 2 * limit);
        inventory.pieces.clear();
        // Counted from here on.
        interpreted.cpu.kept().retired = 0;
    }
}

}  // namespace
}  // namespace backplane::jit::testing
