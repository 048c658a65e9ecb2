// Code of several address spaces under one address, told apart by PCID (SDM 3A 4.10.1).
#include "test_processor.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBX;

struct Contexts : ::testing::Test {
    static constexpr std::uint64_t linear = 0x4000'0000, first = 0x10'0000, second = 0x11'0000,
                                   third = 0x12'0000, pcide = 1u << 17;

    // again: add rbx, ADDEND;  jmp rax, which is again
    void place(std::uint64_t physical, int addend) {
        processor.place(physical, {0x48, 0x83, 0xc3, addend, 0xff, 0xe0});
    }

    void SetUp() override {
        place(first, 1);
        place(second, 2);
        place(third, 3);
        cpu.state.cpl = 3;
        cpu.state.cr4 |= pcide;
        cpu.state_replaced();
    }

    // As MOV CR3 does, to tables that differ in one page.
    void select(std::uint16_t pcid, std::uint64_t physical, bool keeps_entries = true) {
        processor.map(linear, physical);
        cpu.state.cr3 = TestProcessor::tables | pcid;
        cpu.select_pcid(pcid, keeps_entries);
        cpu.mode_changed();
    }

    // What one turn of the code that is executed there adds.
    std::uint64_t addend(std::uint64_t offset = 0) {
        constexpr int turns = 40;
        processor[RBX] = 0;
        processor[RAX] = cpu.state.rip = linear + offset;
        EXPECT_EQ(cpu.run(2 * turns), RunResult::Budget);
        EXPECT_EQ(processor[RBX] % turns, 0u);
        return processor[RBX] / turns;
    }

    TestProcessor processor;
    TestInterpreter& cpu = processor.cpu;
};

TEST_F(Contexts, HaveCodeOfTheirOwn) {
    for (int round = 0; round < 4; ++round) {
        select(1, first);
        EXPECT_EQ(addend(), 1u);
        select(2, second);
        EXPECT_EQ(addend(), 2u);
    }
}

TEST_F(Contexts, AreKeptUntilTheyComeBack) {
    constexpr std::uint64_t elsewhere = 0x100;  // the jump cache has one place for each address
    place(second + elsewhere, 2);
    select(1, first);
    EXPECT_EQ(addend(), 1u);
    select(2, second);
    EXPECT_EQ(addend(elsewhere), 2u);
    const std::uint64_t before = cpu.counters()[Counter::BlockLookups];
    select(1, first);
    EXPECT_EQ(addend(), 1u);
    select(2, second);
    EXPECT_EQ(addend(elsewhere), 2u);
    EXPECT_EQ(cpu.counters()[Counter::BlockLookups], before);
}

TEST_F(Contexts, BeginAnewUnlessTheyAreKept) {
    select(1, first);
    EXPECT_EQ(addend(), 1u);
    select(2, second);
    EXPECT_EQ(addend(), 2u);
    select(1, third, false);
    EXPECT_EQ(addend(), 3u);
    select(2, second);
    EXPECT_EQ(addend(), 2u);
}

TEST_F(Contexts, LoseAPageAlone) {
    select(2, second);
    EXPECT_EQ(addend(), 2u);
    select(1, first);
    EXPECT_EQ(addend(), 1u);
    processor.map(linear, third);
    cpu.flush_tlb_page(linear);
    EXPECT_EQ(addend(), 3u);
    select(2, second);
    EXPECT_EQ(addend(), 2u);
    select(1, third);
    EXPECT_EQ(addend(), 3u);
}

TEST_F(Contexts, AreAllLostInAFlush) {
    select(2, second);
    EXPECT_EQ(addend(), 2u);
    select(1, first);
    EXPECT_EQ(addend(), 1u);
    cpu.flush_tlb();
    select(2, third);
    EXPECT_EQ(addend(), 3u);
}

TEST_F(Contexts, ThatHaveTheirPlaceInTurnsAreNotTakenForEachOther) {
    for (int round = 0; round < 3; ++round)
        for (const std::uint16_t pcid : {3, 11, 19}) {
            select(pcid, pcid == 3 ? first : pcid == 11 ? second : third);
            EXPECT_EQ(addend(), pcid == 3 ? 1u : pcid == 11 ? 2u : 3u);
        }
}

// More generations than the jump cache can tell apart.
TEST_F(Contexts, MayBeMany) {
    for (int round = 0; round < 3000; ++round) {
        select(1, first);
        ASSERT_EQ(addend(), 1u);
        select(static_cast<std::uint16_t>(2 + round % 7), round % 2 ? second : third, false);
        ASSERT_EQ(addend(), round % 2 ? 2u : 3u);
    }
}

}  // namespace
}  // namespace backplane::interp::testing
