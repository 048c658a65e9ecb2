// INIT and STARTUP. (SDM 3A 9.4.2, table 9-1)
#include "test_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RDX;
constexpr std::uint64_t start_page = 0x50000;

class Startup : public ::testing::Test {
protected:
    Startup() { processor.place(start_page, {0xb0, 0x5a, 0xf4}); }  // mov al, 0x5a;  hlt

    x86::CpuState& state = processor.cpu.state;
    TestProcessor processor;
};

TEST_F(Startup, InitBringsBackTheResetStateButForWhatItKeeps) {
    state.gpr.fill(0x1111);
    state.cr0 |= 1u << 30;
    state.star = 1, state.kernel_gs_base = 2, state.tsc_aux = 3, state.sysenter_eip = 4;
    state.pat = 5, state.tsc_offset = 6, state.xcr0 = 7;
    state.mxcsr = 0x1f81;
    state.x87.control = 0x27f;
    state.vectors[15].bytes[31] = 9;
    state.dr[0] = 10, state.dr[7] = 0x401;
    state.nmi_blocked = true;
    processor.bus.boot_processor = false;
    processor.cpu.raise_nmi();
    processor.cpu.raise_init();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);

    EXPECT_TRUE(state.waiting_for_sipi);
    EXPECT_EQ(state.rip, 0xfff0u);
    EXPECT_EQ(state.segments[x86::CS].base, 0xffff0000u);
    EXPECT_EQ(state.gpr[RAX], 0u);
    EXPECT_EQ(state.gpr[RDX], test_model().signature());
    EXPECT_EQ(state.full_rflags(), 2u);
    EXPECT_EQ(state.cr0, 0x40000010u) << "CD as it was";
    EXPECT_EQ(state.cr3 | state.cr4 | state.efer, 0u);
    EXPECT_EQ(state.dr[0], 0u);
    EXPECT_EQ(state.dr[7], 0x400u);
    EXPECT_FALSE(state.nmi_blocked);
    EXPECT_FALSE(processor.cpu.kept().nmi);

    EXPECT_EQ(state.star, 1u);
    EXPECT_EQ(state.kernel_gs_base, 2u);
    EXPECT_EQ(state.tsc_aux, 3u);
    EXPECT_EQ(state.sysenter_eip, 4u);
    EXPECT_EQ(state.pat, 5u);
    EXPECT_EQ(state.tsc_offset, 6u);
    EXPECT_EQ(state.xcr0, 7u);
    EXPECT_EQ(state.mxcsr, 0x1f81u);
    EXPECT_EQ(state.x87.control, 0x27fu);
    EXPECT_EQ(state.vectors[15].bytes[31], 9);
}

TEST_F(Startup, BeginsInRealModeAtThePageOfItsVector) {
    processor.bus.boot_processor = false;
    processor.cpu.raise_init();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    processor.bus.startup = start_page >> 12;
    processor.cpu.notice_startup();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    EXPECT_FALSE(state.waiting_for_sipi);
    EXPECT_TRUE(state.halted);
    EXPECT_EQ(state.gpr[RAX], 0x5au);
    EXPECT_EQ(state.segments[x86::CS].selector, start_page >> 4);
    EXPECT_EQ(state.segments[x86::CS].base, start_page);
    EXPECT_EQ(state.rip, 3u);
}

// INIT and STARTUP came while it was busy with something else.
TEST_F(Startup, MayComeTogetherWithTheInit) {
    processor.bus.boot_processor = false;
    processor.bus.startup = start_page >> 12;
    processor.cpu.raise_init();
    processor.cpu.notice_startup();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    EXPECT_EQ(state.gpr[RAX], 0x5au);
}

TEST_F(Startup, MeansNothingToAProcessorThatRuns) {
    processor.place(TestProcessor::code, {0x90, 0x90, 0xf4});
    processor.bus.startup = start_page >> 12;
    processor.cpu.notice_startup();
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(state.rip, TestProcessor::code + 3);
}

TEST_F(Startup, IsAllThatAWaitingProcessorHears) {
    processor.bus.boot_processor = false;
    processor.cpu.raise_init();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    const std::uint64_t before = processor.cpu.instructions();
    processor.cpu.raise_nmi();
    processor.cpu.set_interrupt_request(true);
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    EXPECT_TRUE(state.waiting_for_sipi);
    EXPECT_EQ(processor.cpu.instructions(), before);
}

TEST_F(Startup, IsNotNeededByTheBootProcessor) {
    processor.bus.rom_memory[0xfff0] = 0xf4;
    processor.cpu.raise_init();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood);
    EXPECT_FALSE(state.waiting_for_sipi);
    EXPECT_TRUE(state.halted);
    EXPECT_EQ(state.rip, 0xfff1u);
}

}  // namespace
}  // namespace backplane::interp::testing
