// What happens between and within instructions at awkward moments: traps, repeated instructions
// that are interrupted, requests that cross each other, a full arena.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBP, x86::RBX, x86::RCX, x86::RDI, x86::RSI, x86::RSP;
namespace rflags = x86::rflags;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

class Boundaries : public ::testing::Test {
protected:
    // Runs with TF set; gives where the trap's frame returns to, 0 when another vector came.
    std::uint64_t trapped_at(std::initializer_list<int> bytes) {
        processor.place(code, bytes);
        processor.cpu.invalidate_physical(code, bytes.size());
        processor.cpu.state.rflags |= rflags::tf;
        EXPECT_FALSE(processor.run_to_halt());
        return processor.stopped_in_vector() == 1 ? frame(0) : 0;
    }

    std::uint64_t frame(unsigned word) const {
        return processor.read<std::uint64_t>(processor.cpu.state.gpr[RSP] + 8 * word);
    }

    TestProcessor processor;
};

TEST_F(Boundaries, TheTrapOfMovSsComesBehindTheNextInstruction) {
    processor[RAX] = 0x10;
    // mov ss, eax;  inc rbx;  inc rbx
    EXPECT_EQ(trapped_at({0x8e, 0xd0, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3}), code + 5);
    EXPECT_EQ(processor[RBX], 1u);
}

TEST_F(Boundaries, StiDoesNotHoldATrap) {
    EXPECT_EQ(trapped_at({0xfb, 0x48, 0xff, 0xc3}), code + 1);
}

TEST_F(Boundaries, StiCostsNoStepWhereNothingWaits) {
    // sti;  inc rbx;  cli;  hlt
    processor.place(code, {0xfb, 0x48, 0xff, 0xc3, 0xfa, 0xf4});
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.cpu.counters()[Counter::SingleSteps], 0u);
    EXPECT_EQ(processor[RBX], 1u);
}

TEST_F(Boundaries, ABreakpointElsewhereCostsNoStep) {
    processor.cpu.state.dr[0] = code + 0x2000;
    processor.cpu.state.dr[7] |= 2;
    processor.cpu.state_replaced();
    processor.place(code, {0x48, 0xff, 0xc3, 0xf4});  // inc rbx;  hlt
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.cpu.counters()[Counter::SingleSteps], 0u);
}

TEST_F(Boundaries, SoftwareInterruptsDoNotTrapInTheirHandler) {
    EXPECT_EQ(trapped_at({0xcc}), 0u);
    EXPECT_EQ(processor.stopped_in_vector(), 3);
    EXPECT_EQ(processor.cpu.state.dr[6] & 0x4000, 0u);
    EXPECT_EQ(processor[RSP], TestProcessor::stack - 40) << "one frame";
    EXPECT_EQ(frame(2) & rflags::tf, rflags::tf);
    processor[RSP] = TestProcessor::stack;
    EXPECT_EQ(trapped_at({0xcd, 0x41}), 0u);
    EXPECT_EQ(processor.stopped_in_vector(), 0x41);
}

TEST_F(Boundaries, SyscallThatMasksTfDoesNotTrap) {
    processor.cpu.state.sfmask = rflags::tf;
    processor.cpu.state.star = std::uint64_t{8} << 32;
    processor.cpu.state.lstar = code + 0x10;
    processor.place(code + 0x10, {0x48, 0xff, 0xc3, 0xf4});
    processor.place(code, {0x0f, 0x05});
    processor.cpu.state.rflags |= rflags::tf;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 1u);
}

TEST_F(Boundaries, SyscallThatKeepsTfTrapsAtItsTarget) {
    processor.cpu.state.star = std::uint64_t{8} << 32;
    processor.cpu.state.lstar = code + 0x10;
    processor.place(code + 0x10, {0x48, 0xff, 0xc3, 0xf4});
    EXPECT_EQ(trapped_at({0x0f, 0x05}), code + 0x10);
}

TEST_F(Boundaries, RepeatedInstructionsTrapBehindEachIteration) {
    processor[RDI] = data;
    processor[RCX] = 3;
    EXPECT_EQ(trapped_at({0xf3, 0xaa, 0x48, 0xff, 0xc3}), code);  // rep stosb
    EXPECT_EQ(processor[RCX], 2u);
    EXPECT_EQ(processor.cpu.instructions(), 1u) << "the handler's HLT";
    EXPECT_EQ(trapped_at({0xf3, 0xaa, 0x48, 0xff, 0xc3}), code);
    EXPECT_EQ(trapped_at({0xf3, 0xaa, 0x48, 0xff, 0xc3}), code + 2);
    EXPECT_EQ(processor[RCX], 0u);
    EXPECT_EQ(processor.cpu.instructions(), 4u);
}

TEST_F(Boundaries, PopfThatSetsTfTrapsBehindTheNextInstruction) {
    // push 102h;  popf;  inc rbx;  inc rbx
    processor.place(code, {0x68, 0x02, 0x01, 0x00, 0x00, 0x9d, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3});
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 1);
    EXPECT_EQ(frame(0), code + 9);
}

TEST_F(Boundaries, PopfThatClearsTfStillTraps) {
    processor[RSP] -= 8;
    processor.write<std::uint64_t>(processor[RSP], 2);
    EXPECT_EQ(trapped_at({0x9d, 0x48, 0xff, 0xc3}), code + 1);
    EXPECT_EQ(frame(2) & rflags::tf, 0u);
}

TEST_F(Boundaries, TheResumeFlagEndsWithTheInstruction) {
    processor.cpu.state.rflags |= rflags::rf;
    processor.place(code, {0x48, 0xff, 0xc3, 0xcc});  // inc rbx;  int3
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 3);
    EXPECT_EQ(frame(2) & rflags::rf, 0u);
}

TEST_F(Boundaries, ARepeatedInstructionThatFaultsKeepsItsProgress) {
    processor.map(data + 0x1000, 0, 0);
    processor.place(code, {0xf3, 0xa4, 0x48, 0xff, 0xc3, 0xf4});  // rep movsb;  inc rbx;  hlt
    processor[RSI] = code;
    processor[RDI] = data + 0xf00;
    processor[RCX] = 0x200;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 14);
    EXPECT_EQ(frame(1), code);
    EXPECT_EQ(frame(3) & rflags::rf, rflags::rf);
    EXPECT_EQ(processor.cpu.state.cr2, data + 0x1000);
    EXPECT_EQ(processor[RCX], 0x100u);
    EXPECT_EQ(processor[RDI], data + 0x1000);
    EXPECT_EQ(processor[RSI], code + 0x100);
    EXPECT_EQ(processor.cpu.rep_iterations, 0x100u);
    EXPECT_EQ(processor.cpu.instructions(), 1u) << "the handler's HLT";
    processor.map(data + 0x1000, data + 0x1000);
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RCX], 0u);
    EXPECT_EQ(processor.cpu.rep_iterations, 0x200u);
    EXPECT_EQ(processor.cpu.instructions(), 4u);
}

TEST_F(Boundaries, ARepeatedInstructionLeavesForRequestsAndGoesOn) {
    processor.map(data, TestBus::device);
    unsigned writes = 0;
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) {
        if (++writes == 10) processor.cpu.request_attention();
    };
    processor.place(code, {0xf3, 0xaa, 0xf4});  // rep stosb;  hlt
    processor[RDI] = data;
    processor[RCX] = 1000;
    processor.cpu.state.rip = code;
    EXPECT_EQ(processor.cpu.run(100), RunResult::Attention);
    EXPECT_EQ(processor.cpu.state.rip, code);
    EXPECT_EQ(processor[RCX], 1000u - writes);
    EXPECT_LT(writes, 100u);
    EXPECT_EQ(processor.cpu.instructions(), 0u);
    EXPECT_EQ(processor.cpu.run(100), RunResult::HaltedForGood);
    EXPECT_EQ(writes, 1000u);
    EXPECT_EQ(processor.cpu.instructions(), 2u);
}

TEST_F(Boundaries, ARequestWhoseNudgeWasLostIsSeenAfterTheNextAccess) {
    processor.map(data, TestBus::device);
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) {
        processor.cpu.set_interrupt_request(true);
        // As when another thread's subtraction falls between the two halves of entering a block.
        processor.cpu.budget.fetch_add(attention_weight);
    };
    processor.bus.on_acknowledge = [&] {
        processor.cpu.set_interrupt_request(false);
        return 0x40;
    };
    processor.cpu.state.rflags |= rflags::if_;
    processor.place(code, {0x89, 0x07, 0x48, 0xff, 0xc3, 0xf4});  // mov [rdi], eax;  inc rbx;  hlt
    processor[RDI] = data;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 0x40);
    EXPECT_EQ(frame(0), code + 2);
}

// The end of the budget and the interrupt both lie within one block.
TEST_F(Boundaries, AnInterruptComesInTimeWhereverTheBudgetEnds) {
    processor.map(data, TestBus::device);
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) {
        processor.cpu.set_interrupt_request(true);
    };
    processor.bus.on_acknowledge = [&] {
        processor.cpu.set_interrupt_request(false);
        return 0x40;
    };
    // inc rbx (3 times);  mov [rdi], eax;  inc rbx (5 times);  hlt
    std::uint64_t at = code;
    const auto increase = [&](int times) {
        for (; times > 0; --times, at += 3)
            processor.place(at, {0x48, 0xff, 0xc3});
    };
    increase(3);
    processor.place(at, {0x89, 0x07});
    at += 2;
    const std::uint64_t expected = at;
    increase(5);
    processor.place(at, {0xf4});
    processor[RDI] = data;
    for (std::int64_t budget = 1; budget < 12; ++budget) {
        processor.cpu.state.rflags |= rflags::if_;
        processor.cpu.state.rip = code;
        processor.cpu.state.halted = false;
        processor[RBX] = 0;
        processor[RSP] = TestProcessor::stack;
        const std::uint64_t before = processor.cpu.instructions();
        while (processor.cpu.run(budget) == RunResult::Budget) {
            ASSERT_EQ((processor.cpu.instructions() - before) % static_cast<std::uint64_t>(budget),
                      0u);
        }
        ASSERT_EQ(processor.stopped_in_vector(), 0x40) << budget;
        ASSERT_EQ(frame(0), expected) << budget;
        ASSERT_EQ(processor[RBX], 3u) << budget;
        ASSERT_EQ(processor.cpu.instructions() - before, 5u) << budget;
    }
}

TEST_F(Boundaries, ANonMaskableInterruptEndsAHaltWithInterruptsOff) {
    processor.place(code, {0xf4, 0xf4});
    EXPECT_EQ(processor.cpu.run(10), RunResult::HaltedForGood);
    processor.cpu.raise_nmi();
    EXPECT_EQ(processor.cpu.run(10), RunResult::HaltedForGood);
    EXPECT_EQ(processor.stopped_in_vector(), 2);
    EXPECT_EQ(frame(0), code + 1);
}

TEST_F(Boundaries, ABranchThatIsRefusedFaultsBehindWhatIsFusedWithIt) {
    constexpr std::uint64_t last_page = 0x7fff'ffff'f000, at = last_page + 0xff0;
    processor.map(last_page, code);
    // dec rcx;  jnz beyond the last canonical address
    processor.place(code + 0xff0, {0x48, 0xff, 0xc9, 0x75, 0x7f, 0xf4});
    processor[RCX] = 2;
    EXPECT_FALSE(processor.run_to_halt(at));
    EXPECT_EQ(processor.stopped_in_vector(), 13);
    EXPECT_EQ(frame(1), at + 3);
    EXPECT_EQ(processor[RCX], 1u);
    EXPECT_EQ(processor.cpu.instructions(), 2u);
    processor[RCX] = 1;
    EXPECT_TRUE(processor.run_to_halt(at)) << "not taken";
}

TEST_F(Boundaries, StackAddressesThatAreNotCanonicalAreStackFaults) {
    int vector = -1;
    processor.cpu.on_exception = [&](const x86::Fault& found) {
        if (vector < 0) vector = static_cast<int>(found.vector);
    };
    const auto vector_of = [&](std::initializer_list<int> bytes) {
        processor.place(code, bytes);
        processor.cpu.invalidate_physical(code, bytes.size());
        processor[RBP] = processor[RBX] = processor[RSP] = (std::uint64_t{1} << 47) + 64;
        vector = -1;
        processor.cpu.state.rip = code;
        EXPECT_EQ(processor.cpu.run(1), RunResult::Shutdown) << "no stack for a handler either";
        return vector;
    };
    EXPECT_EQ(vector_of({0x50}), 12);                                // push rax
    EXPECT_EQ(vector_of({0x58}), 12);                                // pop rax
    EXPECT_EQ(vector_of({0xe8, 0, 0, 0, 0}), 12);                    // call
    EXPECT_EQ(vector_of({0xc3}), 12);                                // ret
    EXPECT_EQ(vector_of({0xc9}), 12);                                // leave
    EXPECT_EQ(vector_of({0x48, 0x8b, 0x45, 0x08}), 12);              // mov rax, [rbp + 8]
    EXPECT_EQ(vector_of({0x48, 0x01, 0x44, 0x0c, 0x08}), 12);        // add [rsp + rcx + 8], rax
    EXPECT_EQ(vector_of({0x48, 0x39, 0x45, 0x08, 0x75, 0x00}), 12);  // cmp [rbp + 8], rax;  jnz
    EXPECT_EQ(vector_of({0x48, 0x8b, 0x03}), 13);                    // mov rax, [rbx]
    EXPECT_EQ(vector_of({0xff, 0x33}), 13);                          // push qword [rbx]
}

TEST_F(Boundaries, EnterProbesTheWholeFrame) {
    processor.map(TestProcessor::stack - 0x2000, 0, 0);
    processor.place(code, {0xc8, 0x00, 0x18, 0x00, 0xf4});  // enter 1800h, 0
    int vector = -1;
    processor.cpu.on_exception = [&](const x86::Fault& found) {
        vector = static_cast<int>(found.vector);
    };
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(vector, 14);
    EXPECT_EQ(processor.cpu.state.cr2, TestProcessor::stack - 8 - 0x1800);
    EXPECT_EQ(processor[RBP], 0u);
}

TEST_F(Boundaries, ACallMayOverwriteWhatItCalls) {
    // call over eleven bytes to where its own return address was just pushed: add eax, 1000h;
    // add [rax], al;  add ah, dh;  hlt
    const std::uint64_t target = code + 16;
    processor.place(code, {0xe8, 0x0b, 0x00, 0x00, 0x00, 0xf4});
    processor.place(target, {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xf4, 0xf4});
    processor[RSP] = target + 64;
    processor[RAX] = data;
    EXPECT_TRUE(processor.run_to_halt())
        << "once without, so that both blocks are there and linked";
    processor[RAX] = data;
    processor[RSP] = target + 8;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xffff'0000, data);
    EXPECT_EQ(processor[RAX] >> 12 & 0xf, 1u);
}

TEST(Arena, StartsOverWhenItIsFull) {
    if (is_engine_slow())
        GTEST_SKIP() << "it would compile 30,000 blocks, to fill what is not its own";
    TestProcessor processor{std::size_t{4} << 20};
    // again: mov al, 1;  jmp next;  next: add rbx, 1;  inc byte [again + 1];  dec rcx;  jnz;  hlt
    processor.place(code, {0xb0, 0x01, 0xeb, 0x00, 0x48, 0x83, 0xc3, 0x01, 0xfe, 0x05,
                           0xf3, 0xff, 0xff, 0xff, 0x48, 0xff, 0xc9, 0x75, 0xed, 0xf4});
    processor[RCX] = 30'000;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 30'000u);
    EXPECT_EQ(processor[RAX] & 0xff, 30'000u & 0xff);
    EXPECT_EQ(processor.cpu.instructions(), 30'000u * 6 + 1);
    EXPECT_GE(processor.cpu.counters()[Counter::BlocksDecoded], 30'000u);
}

TEST(WrittenByAnotherThread, CodeIsDecodedAnewSoon) {
    TestProcessor processor;
    // again: mov al, 1;  cmp al, 9;  jne again;  hlt
    processor.place(code, {0xb0, 0x01, 0x3c, 0x09, 0x75, 0xfa, 0xf4});
    std::thread other{[&] {
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        for (const std::uint8_t value : {2, 3, 9}) {
            std::atomic_ref{processor.bus.ram[code + 1]} = value;
            processor.cpu.post_code_written(code + 1, 1);
            std::this_thread::yield();
        }
    }};
    EXPECT_TRUE(processor.run_to_halt(code, std::int64_t{1} << 40));
    other.join();
    EXPECT_EQ(processor[RAX] & 0xff, 9u);
}

}  // namespace
}  // namespace backplane::interp::testing
