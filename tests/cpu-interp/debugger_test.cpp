// Breakpoints, watchpoints and single steps of a debugger outside the machine.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RSI, x86::RSP;
using Kind = x86::DebuggerBreakpointKind;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

class Debugger : public ::testing::Test {
protected:
    std::uint64_t rip() const { return processor.cpu.state.rip; }
    RunResult run(std::int64_t budget = 1'000'000) { return processor.cpu.run(budget); }
    void insert(Kind kind, std::uint64_t linear, std::uint64_t length = 1) {
        ASSERT_TRUE(processor.cpu.insert_breakpoint({kind, linear, length}));
    }
    bool remove(Kind kind, std::uint64_t linear, std::uint64_t length = 1) {
        return processor.cpu.remove_breakpoint({kind, linear, length});
    }

    TestProcessor processor;
};

// A loop that counts RBX down: dec rbx; jnz; hlt. And inc rax between.
constexpr auto counting_loop = {0x48, 0xff, 0xc0, 0x48, 0xff, 0xcb, 0x75, 0xf8, 0xf4};

TEST_F(Debugger, StopsBeforeEveryExecutionOfAnInstruction) {
    processor.place(code, counting_loop);
    processor[RBX] = 5;
    insert(Kind::Execute, code + 3);
    for (std::uint64_t round = 1; round <= 5; ++round) {
        ASSERT_EQ(run(), RunResult::Breakpoint);
        EXPECT_EQ(rip(), code + 3);
        EXPECT_EQ(processor[RAX], round);
        EXPECT_EQ(processor[RBX], 6 - round);
        ASSERT_TRUE(processor.cpu.hit_breakpoint());
        EXPECT_EQ(processor.cpu.hit_breakpoint()->linear, code + 3);
    }
    EXPECT_EQ(run(), RunResult::HaltedForGood);
    EXPECT_FALSE(processor.cpu.hit_breakpoint());
    EXPECT_EQ(processor.cpu.instructions(), 16u);
}

TEST_F(Debugger, StopsInCodeThatRanBefore) {
    processor.place(code, counting_loop);
    processor[RBX] = 100'000;
    ASSERT_EQ(run(50'000), RunResult::Budget);
    insert(Kind::Execute, code + 6);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), code + 6);
    EXPECT_TRUE(remove(Kind::Execute, code + 6));
    EXPECT_FALSE(remove(Kind::Execute, code + 6));
    EXPECT_EQ(run(), RunResult::HaltedForGood);
    EXPECT_EQ(processor.cpu.instructions(), 300'001u);
}

// Also where a slice ends just before it, and however long the slices are.
TEST_F(Debugger, StopsWhereverSlicesEnd) {
    for (std::int64_t slice = 1; slice < 8; ++slice) {
        TestProcessor fresh;
        fresh.place(code, counting_loop);
        fresh[RBX] = 10;
        ASSERT_TRUE(fresh.cpu.insert_breakpoint({Kind::Execute, code + 3, 1}));
        int hits = 0;
        RunResult result = RunResult::Budget;
        while (result == RunResult::Budget || result == RunResult::Breakpoint)
            hits += (result = fresh.cpu.run(slice)) == RunResult::Breakpoint;
        EXPECT_EQ(hits, 10) << slice;
    }
}

TEST_F(Debugger, MeetsABreakpointSetTwiceUntilItIsRemovedTwice) {
    processor.place(code, counting_loop);
    processor[RBX] = 5;
    insert(Kind::Execute, code);
    insert(Kind::Execute, code);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_TRUE(remove(Kind::Execute, code));
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_TRUE(remove(Kind::Execute, code));
    EXPECT_EQ(run(), RunResult::HaltedForGood);
}

// The same code at another linear address has no breakpoint.
TEST_F(Debugger, TellsLinearAddressesApart) {
    processor.place(code, counting_loop);
    processor.map(0x7f0000, code);
    processor[RBX] = 3;
    insert(Kind::Execute, code + 3);
    EXPECT_TRUE(processor.run_to_halt(0x7f0000));
    processor[RBX] = 3;
    processor.cpu.state.rip = code;
    processor.cpu.state.halted = false;
    EXPECT_EQ(run(), RunResult::Breakpoint);
}

TEST_F(Debugger, SeesTheInterruptHandlersFirstInstruction) {
    processor.place(code, {0x0f, 0x0b});  // ud2
    insert(Kind::Execute, TestProcessor::handlers + 6 * 16);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), TestProcessor::handlers + 6 * 16);
}

// The handler of the instruction's own fault returns to it: a second visit.
TEST_F(Debugger, MeetsARestartedInstructionAgain) {
    const std::uint64_t entry = TestProcessor::entry(data);
    processor.write<std::uint64_t>(entry, 0);
    // Handler of #PF: mov dword [entry], data | 7; add rsp, 8; iretq
    const std::uint64_t handler = TestProcessor::handlers + 14 * 16;
    processor.place(handler, {0xe9, 0xfb, 0x1f, 0x00, 0x00});  // jmp handler + 0x2000
    processor.place(handler + 0x2000,
                    {0xc7, 0x04, 0x25, static_cast<int>(entry & 0xff),
                     static_cast<int>(entry >> 8 & 0xff), static_cast<int>(entry >> 16 & 0xff), 0,
                     0x07, 0x00, 0x20, 0x00, 0x48, 0x83, 0xc4, 0x08, 0x48, 0xcf});
    processor.place(code, {0x48, 0x8b, 0x07, 0xf4});  // mov rax, [rdi]; hlt
    processor[RDI] = data;
    processor.write<std::uint64_t>(data, 0x1234);
    insert(Kind::Execute, code);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(processor.cpu.instructions(), 0u);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(processor.cpu.instructions(), 4u) << "those of the handler";
    EXPECT_EQ(run(), RunResult::HaltedForGood);
    EXPECT_EQ(processor[RAX], 0x1234u);
}

TEST_F(Debugger, WatchesWritesReadsOrBoth) {
    // mov [rdi], eax; mov ebx, [rdi]; inc dword [rdi]; lock xadd [rdi], eax; mov [rdi+4], eax; hlt
    const auto program = {0x89, 0x07, 0x8b, 0x1f, 0xff, 0x07, 0xf0,
                          0x0f, 0xc1, 0x07, 0x89, 0x47, 0x04, 0xf4};
    const auto hits = [&](Kind kind) {
        TestProcessor fresh;
        fresh.place(code, program);
        fresh[RDI] = data;
        EXPECT_TRUE(fresh.cpu.insert_breakpoint({kind, data, 4}));
        std::vector<std::uint64_t> list;
        while (fresh.cpu.run(1000) == RunResult::Breakpoint) {
            EXPECT_EQ(fresh.cpu.hit_breakpoint()->kind, kind);
            EXPECT_EQ(fresh.cpu.hit_breakpoint()->linear, data);
            list.push_back(fresh.cpu.state.rip - code);
        }
        return list;
    };
    EXPECT_EQ(hits(Kind::Write), (std::vector<std::uint64_t>{2, 6, 10}));
    EXPECT_EQ(hits(Kind::Read), (std::vector<std::uint64_t>{4, 6, 10}));
    EXPECT_EQ(hits(Kind::Access), (std::vector<std::uint64_t>{2, 4, 6, 10}));
}

TEST_F(Debugger, WatchesPagesThatWereUsedBefore) {
    processor.place(code, {0x89, 0x07, 0x48, 0xff, 0xcb, 0x75, 0xf9, 0xf4});  // a loop that stores
    processor[RDI] = data + 8;
    processor[RBX] = 1000;
    ASSERT_EQ(run(100), RunResult::Budget);
    insert(Kind::Write, data + 11);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), code + 2);
    EXPECT_TRUE(remove(Kind::Write, data + 11));
    insert(Kind::Write, data + 12, 4);
    EXPECT_EQ(run(), RunResult::HaltedForGood);
}

TEST_F(Debugger, WatchesAccessesAcrossPagesAndByStringInstructions) {
    processor.place(code, {0x48, 0x89, 0x07, 0xf3, 0xaa, 0xf4});  // mov [rdi], rax; rep stosb
    processor[RDI] = data + 0xffc;
    processor[RCX] = 0x3000;
    insert(Kind::Write, data + 0x1003);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), code + 3);
    EXPECT_TRUE(remove(Kind::Write, data + 0x1003));
    insert(Kind::Write, data + 0x2000);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), code + 3) << "in the middle of the instruction";
    EXPECT_GT(processor[RDI], data + 0x2000);
    EXPECT_LE(processor[RDI], data + 0x2040) << "a few iterations later at most";
    EXPECT_EQ(run(), RunResult::HaltedForGood);
    EXPECT_EQ(processor[RDI], data + 0xffc + 0x3000);
}

TEST_F(Debugger, WatchesWhatDeliveryPushes) {
    processor.place(code, {0x0f, 0x0b});
    insert(Kind::Write, TestProcessor::stack - 8);
    ASSERT_EQ(run(), RunResult::Breakpoint);
    EXPECT_EQ(rip(), TestProcessor::handlers + 6 * 16);
}

TEST_F(Debugger, LeavesTheGuestsOwnBreakpointsAlone) {
    processor.place(code, counting_loop);
    processor[RBX] = 2;
    processor.cpu.state.dr[0] = code + 3;
    processor.cpu.state.dr[7] = 0x401;
    processor.cpu.state_replaced();
    insert(Kind::Execute, code + 3);
    ASSERT_EQ(run(), RunResult::Breakpoint) << "the debugger's comes first";
    EXPECT_EQ(run(), RunResult::HaltedForGood);
    EXPECT_EQ(processor.stopped_in_vector(), 1);
}

TEST_F(Debugger, RefusesNonsense) {
    EXPECT_FALSE(processor.cpu.insert_breakpoint({Kind::Write, data, 0}));
    EXPECT_FALSE(processor.cpu.insert_breakpoint({Kind::Write, ~std::uint64_t{0} - 3, 8}));
    EXPECT_FALSE(remove(Kind::Write, data));
}

TEST_F(Debugger, StepsOneInstructionAfterTheOther) {
    processor.place(code, counting_loop);
    processor[RBX] = 2;
    insert(Kind::Execute, code);
    for (const std::uint64_t expected : {3, 6, 0, 3, 6, 8}) {
        EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::Budget);
        EXPECT_EQ(rip(), code + expected);
    }
    EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::HaltedForGood);
    EXPECT_EQ(processor.cpu.instructions(), 7u);
}

TEST_F(Debugger, StepsIntoTheHandlerOfAnException) {
    processor.place(code, {0x0f, 0x0b});
    EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::Budget);
    EXPECT_EQ(rip(), TestProcessor::handlers + 6 * 16);
    EXPECT_EQ(processor.cpu.instructions(), 0u);
}

TEST_F(Debugger, StepsPastOrIntoInterruptsAsAsked) {
    processor.bus.on_acknowledge = [this] {
        processor.cpu.set_interrupt_request(false);
        return 0x40;
    };
    processor.place(code, {0xfb, 0x90, 0x90, 0x90, 0x90});  // sti; nop; ...
    processor.cpu.set_interrupt_request(true);
    for (const std::uint64_t expected : {1, 2, 3}) {
        EXPECT_EQ(processor.cpu.step(Step::WithoutInterrupts), RunResult::Budget);
        EXPECT_EQ(rip(), code + expected);
    }
    EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::Budget);
    EXPECT_EQ(rip(), TestProcessor::handlers + 0x40 * 16) << "nothing of the handler is executed";
    EXPECT_EQ(processor.read<std::uint64_t>(processor[RSP]), code + 3);
    EXPECT_EQ(processor.cpu.instructions(), 3u);
}

TEST_F(Debugger, LetsAnInterruptEndAHaltWhenItSteps) {
    processor.bus.on_acknowledge = [this] {
        processor.cpu.set_interrupt_request(false);
        return 0x40;
    };
    processor.cpu.state.rflags |= x86::rflags::if_;
    processor.place(code, {0xf4, 0x90});
    EXPECT_EQ(processor.cpu.step(Step::WithoutInterrupts), RunResult::Halted);
    EXPECT_EQ(processor.cpu.step(Step::WithoutInterrupts), RunResult::Halted);
    processor.cpu.set_interrupt_request(true);
    EXPECT_EQ(processor.cpu.step(Step::WithoutInterrupts), RunResult::Budget);
    EXPECT_EQ(rip(), TestProcessor::handlers + 0x40 * 16);
}

TEST_F(Debugger, SeesAWatchpointInAStep) {
    processor.place(code, {0x89, 0x07, 0x90});
    processor[RDI] = data;
    insert(Kind::Write, data, 4);
    EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::Breakpoint);
    EXPECT_EQ(rip(), code + 2);
    EXPECT_EQ(processor.cpu.step(Step::WithInterrupts), RunResult::Budget);
}

}  // namespace
}  // namespace backplane::interp::testing
