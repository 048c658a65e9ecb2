// String instructions in compiled code: what is done in one piece, and what lies in its way.
#include "compiled_code.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RCX, x86::RDI, x86::RSI;

struct CompiledStrings : ::testing::Test {
    static constexpr std::uint64_t page = 0x1000, area = TestProcessor::data, area_pages = 8;
    static constexpr std::uint64_t pattern = 0x8877'6655'4433'2211;
    // Of bytes; wider ones are odd.
    static constexpr int movs = 0xa4, stos = 0xaa, lods = 0xac;

    // `instruction; hlt`, at a place of its own, which is executed until it is compiled.
    std::uint64_t routine(int operation, unsigned size, bool repeats) {
        const std::uint64_t start = next_routine;
        next_routine += 0x40;
        std::uint64_t at = start;
        const auto put = [&](int byte) { processor->place(at++, {byte}); };
        if (repeats) put(0xf3);
        if (size == 2) put(0x66);
        if (size == 8) put(0x48);
        put(size == 1 ? operation : operation + 1);
        put(0xf4);
        for (int i = 0; i < 3; ++i)
            EXPECT_TRUE(run(start, {.count = 1, .from = area, .to = area + page}));
        EXPECT_TRUE(native_at(*processor, start));
        return start;
    }

    struct Operands {
        std::uint64_t count = 0, from = 0, to = 0;
    };

    bool run(std::uint64_t start, const Operands& operands) {
        TestProcessor& cpu = *processor;
        cpu[RAX] = pattern;
        cpu[RCX] = operands.count;
        cpu[RSI] = operands.from;
        cpu[RDI] = operands.to;
        return cpu.run_to_halt(start);
    }

    std::uint64_t untranslated() const {
        return processor->cpu.counts[static_cast<std::size_t>(Counter::LeftUntranslated)];
    }

    // The area as bytes that are all different for a while.
    void fill_area() {
        for (std::uint64_t i = 0; i < area_pages * page; ++i)
            processor->bus.ram[area + i] = static_cast<std::uint8_t>(i * 7 + (i >> 8));
    }
    std::vector<std::uint8_t> bytes() const {
        const auto* start = &processor->bus.ram[area];
        return {start, start + area_pages * page};
    }

    std::unique_ptr<TestProcessor> processor = make_compiling_processor();
    std::uint64_t next_routine = TestProcessor::code;
};

// What the instruction says, one iteration after the other.
void copy(std::vector<std::uint8_t>& memory, std::uint64_t from, std::uint64_t to,
          std::uint64_t count, unsigned size) {
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t value = 0;
        std::memcpy(&value, &memory[from + i * size], size);
        std::memcpy(&memory[to + i * size], &value, size);
    }
}

TEST_F(CompiledStrings, CopyAsOneIterationAfterTheOtherDoes) {
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
        const std::uint64_t start = routine(movs, size, true);
        for (const std::uint64_t from : {0u, 1u, 4093u, 5000u})
            for (const std::uint64_t to : {0u, 3u, 8u, 4090u, 5008u, 9000u})
                for (const std::uint64_t count : {0u, 1u, 2u, 100u, 1500u}) {
                    SCOPED_TRACE(fmt::format("{} x {}, {} to {}", count, size, from, to));
                    fill_area();
                    auto expected = bytes();
                    copy(expected, from, to, count, size);
                    const std::uint64_t iterations = processor->cpu.rep_iterations;
                    ASSERT_TRUE(run(start, {count, area + from, area + to}));
                    ASSERT_TRUE(bytes() == expected);
                    EXPECT_EQ((*processor)[RCX], 0u);
                    EXPECT_EQ((*processor)[RSI], area + from + count * size);
                    EXPECT_EQ((*processor)[RDI], area + to + count * size);
                    EXPECT_EQ((*processor)[RAX], pattern);
                    EXPECT_EQ(processor->cpu.rep_iterations - iterations, count);
                }
    }
}

TEST_F(CompiledStrings, Fill) {
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
        const std::uint64_t start = routine(stos, size, true);
        for (const std::uint64_t to : {0u, 5u, 4095u, 9000u})
            for (const std::uint64_t count : {0u, 1u, 77u, 2500u}) {
                SCOPED_TRACE(fmt::format("{} x {} to {}", count, size, to));
                fill_area();
                auto expected = bytes();
                for (std::uint64_t i = 0; i < count; ++i)
                    std::memcpy(&expected[to + i * size], &pattern, size);
                ASSERT_TRUE(run(start, {count, 0, area + to}));
                ASSERT_TRUE(bytes() == expected);
                EXPECT_EQ((*processor)[RCX], 0u);
                EXPECT_EQ((*processor)[RDI], area + to + count * size);
                EXPECT_EQ((*processor)[RAX], pattern);
            }
    }
}

TEST_F(CompiledStrings, DoSingleSteps) {
    for (const unsigned size : {1u, 2u, 4u, 8u}) {
        SCOPED_TRACE(size);
        std::uint64_t value = 0;
        fill_area();
        std::memcpy(&value, &processor->bus.ram[area + 100], size);

        ASSERT_TRUE(run(routine(movs, size, false), {5, area + 100, area + 300}));
        EXPECT_EQ(std::memcmp(&processor->bus.ram[area + 300], &value, size), 0);
        EXPECT_EQ((*processor)[RSI], area + 100 + size);
        EXPECT_EQ((*processor)[RDI], area + 300 + size);
        EXPECT_EQ((*processor)[RCX], 5u);

        ASSERT_TRUE(run(routine(stos, size, false), {5, 7, area + 400}));
        EXPECT_EQ(std::memcmp(&processor->bus.ram[area + 400], &pattern, size), 0);
        EXPECT_EQ((*processor)[RDI], area + 400 + size);
        EXPECT_EQ((*processor)[RSI], 7u);

        ASSERT_TRUE(run(routine(lods, size, false), {5, area + 100, 7}));
        const std::uint64_t rest = size >= 4 ? 0 : pattern >> 8 * size << 8 * size;
        EXPECT_EQ((*processor)[RAX], rest | value);
        EXPECT_EQ((*processor)[RSI], area + 100 + size);
        EXPECT_EQ((*processor)[RDI], 7u);
    }
}

TEST_F(CompiledStrings, AreNotLeftToTheInterpreter) {
    const std::uint64_t start = routine(movs, 8, true);
    ASSERT_TRUE(run(start, {2000, area, area + 4 * page}));
    const std::uint64_t before = untranslated();
    ASSERT_TRUE(run(start, {2000, area, area + 4 * page}));
    EXPECT_LE(untranslated(), before + 1) << "HLT";
}

TEST_F(CompiledStrings, GoBackwardsToo) {
    TestProcessor& cpu = *processor;
    const std::uint64_t start = routine(movs, 4, true);
    fill_area();
    auto expected = bytes();
    for (std::uint64_t i = 0; i < 1500; ++i)
        std::memcpy(&expected[9000 - i * 4], &expected[8990 - i * 4], 4);
    cpu.cpu.state.rflags |= x86::rflags::df;
    ASSERT_TRUE(run(start, {1500, area + 8990, area + 9000}));
    EXPECT_TRUE(bytes() == expected);
    EXPECT_EQ(cpu[RSI], area + 8990 - 6000);
}

// The registers say what was done, and a write that did not come to be leaves no trace.
TEST_F(CompiledStrings, StopWhereAPageIsMissing) {
    constexpr std::uint64_t dirty = 0x40;
    TestProcessor& cpu = *processor;
    const std::uint64_t copies = routine(movs, 8, true), fills = routine(stos, 8, true);
    const std::uint64_t source = area, target = area + 4 * page;

    processor->map(target + page, target + page, 0);
    EXPECT_FALSE(run(fills, {1000, 0, target + 2048}));
    EXPECT_EQ(cpu.stopped_in_vector(), 14);
    EXPECT_EQ(cpu[RDI], target + page);
    EXPECT_EQ(cpu[RCX], 1000u - 256);
    EXPECT_EQ(cpu.cpu.state.cr2, target + page);

    EXPECT_FALSE(run(copies, {1000, source, target}));
    EXPECT_EQ(cpu[RSI], source + page);
    EXPECT_EQ(cpu[RDI], target + page);
    EXPECT_EQ(cpu[RCX], 1000u - 512);

    // Nor is a page looked at that nothing is to be copied to.
    ASSERT_TRUE(run(copies, {0, source, target + page}));
    ASSERT_TRUE(run(fills, {0, 0, target + page}));

    processor->map(target + 2 * page, target + 2 * page);
    processor->map(source + page, source + page, 0);
    cpu.cpu.flush_tlb_page(target + 2 * page);
    cpu.cpu.flush_tlb_page(source + page);
    EXPECT_FALSE(run(copies, {1000, source + page, target + 2 * page}));
    EXPECT_EQ(cpu.cpu.state.cr2, source + page);
    EXPECT_EQ(cpu.read<std::uint64_t>(TestProcessor::entry(target + 2 * page)) & dirty, 0u);
}

TEST_F(CompiledStrings, WriteOverCode) {
    TestProcessor& cpu = *processor;
    const std::uint64_t copies = routine(movs, 1, true);
    constexpr std::uint64_t place = area + 5 * page, other = area + 6 * page;
    cpu.place(place, {0xb8, 1, 0, 0, 0, 0xf4});  // mov eax, 1;  hlt
    for (int i = 0; i < 3; ++i)
        ASSERT_TRUE(cpu.run_to_halt(place));
    EXPECT_EQ(cpu[RAX], 1u);
    cpu.place(other, {0xb8, 2, 0, 0, 0, 0xf4});
    ASSERT_TRUE(run(copies, {6, other, place}));
    ASSERT_TRUE(cpu.run_to_halt(place));
    EXPECT_EQ(cpu[RAX], 2u);
}

TEST_F(CompiledStrings, ReachDevices) {
    TestProcessor& cpu = *processor;
    constexpr std::uint64_t linear = 0x4000'0000;
    cpu.map(linear, interp::testing::TestBus::device);
    const std::uint64_t fills = routine(stos, 4, true);
    std::vector<std::uint64_t> written;
    cpu.bus.on_write = [&](std::uint64_t address, unsigned size, std::uint64_t value) {
        EXPECT_EQ(size, 4u);
        EXPECT_EQ(value, pattern & 0xffff'ffff);
        written.push_back(address - interp::testing::TestBus::device);
    };
    ASSERT_TRUE(run(fills, {5, 0, linear + 0x10}));
    EXPECT_EQ(written, (std::vector<std::uint64_t>{0x10, 0x14, 0x18, 0x1c, 0x20}));
    EXPECT_EQ(cpu[RDI], linear + 0x24);
}

// Flags come out as they went in: stc; rep movsb; setc al; hlt.
TEST_F(CompiledStrings, KeepTheFlags) {
    TestProcessor& cpu = *processor;
    cpu.place(next_routine, {0xf9, 0xf3, 0xa4, 0x0f, 0x92, 0xc0, 0xf4});
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(run(next_routine, {5000, area, area + 4 * page}));
        EXPECT_EQ(cpu[RAX] & 0xff, 1u);
    }
}

}  // namespace
}  // namespace backplane::jit::testing
