// Interrupts, single steps, halts and requests from outside take effect exactly between two
// instructions.
#include "test_processor.h"

#include <gtest/gtest.h>

#include <chrono>
#include <thread>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDI, x86::RDX, x86::RSP;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

class Interrupts : public ::testing::Test {
protected:
    Interrupts() {
        processor.bus.on_acknowledge = [this] {
            processor.cpu.set_interrupt_request(false);
            return 0x40;
        };
        processor.cpu.state.rflags |= x86::rflags::if_;
    }

    std::uint64_t return_ip() const {
        return processor.read<std::uint64_t>(processor.cpu.state.gpr[RSP]);
    }

    TestProcessor processor;
};

TEST_F(Interrupts, RaisedByADeviceAccessComeBeforeTheNextInstruction) {
    processor.write<std::uint64_t>(TestProcessor::entry(data), TestBus::device | 7);
    std::uint64_t seen = 0;
    processor.bus.on_write = [&](std::uint64_t, unsigned, std::uint64_t) {
        seen = processor.cpu.instructions();
        processor.cpu.set_interrupt_request(true);
    };
    // inc rbx;  mov [rdi], eax;  inc rbx;  inc rbx;  hlt
    processor.place(code, {0x48, 0xff, 0xc3, 0x89, 0x07, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0xf4});
    processor[RDI] = data;
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 0x40);
    EXPECT_EQ(return_ip(), code + 5);
    EXPECT_EQ(processor[RBX], 1u);
    EXPECT_EQ(seen, 1u) << "the access is not counted yet";
    EXPECT_EQ(processor.cpu.instructions(), 3u);
    // The way out that was put into the block is gone again.
    processor.bus.on_write = nullptr;
    processor[RBX] = 0;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 3u);
}

TEST_F(Interrupts, WaitForTheInstructionBehindSti) {
    processor.cpu.state.rflags &= ~x86::rflags::if_;
    processor.cpu.set_interrupt_request(true);
    processor.place(code,
                    {0xfb, 0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0xf4});  // sti;  inc rbx;  inc rbx
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 0x40);
    EXPECT_EQ(processor[RBX], 1u);
}

TEST_F(Interrupts, EndAHalt) {
    processor.place(code, {0xf4, 0x48, 0xff, 0xc3, 0xf4});
    EXPECT_EQ(processor.cpu.run(1000), RunResult::Halted);
    EXPECT_EQ(processor.cpu.run(1000), RunResult::Halted);
    processor.cpu.set_interrupt_request(true);
    EXPECT_EQ(processor.cpu.run(1000), RunResult::HaltedForGood)
        << "the handler halts with interrupts off";
    EXPECT_EQ(processor.stopped_in_vector(), 0x40);
    EXPECT_EQ(return_ip(), code + 1);
}

TEST_F(Interrupts, ThatWentAwayDoNothing) {
    processor.bus.on_acknowledge = [this] {
        processor.cpu.set_interrupt_request(false);
        return -1;
    };
    processor.cpu.set_interrupt_request(true);
    processor.place(code, {0x48, 0xff, 0xc3, 0xf4});
    EXPECT_TRUE(processor.run_to_halt());
}

TEST_F(Interrupts, NonMaskableOnesIgnoreTheFlagAndBlockThemselves) {
    processor.cpu.state.rflags &= ~x86::rflags::if_;
    processor.cpu.raise_nmi();
    processor.place(code, {0x90, 0xf4});
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 2);
    processor.cpu.raise_nmi();
    EXPECT_EQ(processor.cpu.run(10), RunResult::HaltedForGood);
    EXPECT_EQ(processor.stopped_in_vector(), 2);
}

TEST_F(Interrupts, SingleStepTrapsBehindEachInstruction) {
    processor.cpu.state.rflags |= x86::rflags::tf;
    processor.place(code, {0x48, 0xff, 0xc3, 0x48, 0xff, 0xc3, 0xf4});
    EXPECT_FALSE(processor.run_to_halt());
    EXPECT_EQ(processor.stopped_in_vector(), 1);
    EXPECT_EQ(return_ip(), code + 3);
    EXPECT_EQ(processor[RBX], 1u);
    EXPECT_EQ(processor.cpu.state.dr[6] & 0x4000, 0x4000u);
}

TEST_F(Interrupts, AFaultWithoutAHandlerShutsDown) {
    processor.cpu.state.idtr.limit = 0;
    processor.place(code, {0x0f, 0x0b});
    processor.cpu.state.rip = code;
    EXPECT_EQ(processor.cpu.run(10), RunResult::Shutdown);
    EXPECT_EQ(processor.cpu.state.rip, code);
}

TEST_F(Interrupts, AttentionEndsAnEndlessLoop) {
    processor.place(code, {0xeb, 0xfe});
    processor.cpu.state.rip = code;
    // Once the loop is being executed, for which the host may take its time.
    std::jthread other{[&](const std::stop_token& stop) {
        while (!stop.stop_requested() && processor.cpu.counters()[Counter::Instructions] == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        processor.cpu.request_attention();
    }};
    EXPECT_EQ(processor.cpu.run(std::int64_t{1} << 60), RunResult::Attention);
    EXPECT_EQ(processor.cpu.state.rip, code);
    EXPECT_GT(processor.cpu.instructions(), 0u);
}

TEST_F(Interrupts, AttentionAskedForBeforehandIsNotLost) {
    processor.place(code, {0xeb, 0xfe});
    processor.cpu.state.rip = code;
    processor.cpu.request_attention();
    EXPECT_EQ(processor.cpu.run(1000), RunResult::Attention);
    EXPECT_EQ(processor.cpu.run(1000), RunResult::Budget);
    EXPECT_EQ(processor.cpu.instructions(), 1000u);
}

TEST_F(Interrupts, BudgetIsExactForEveryStartAndLength) {
    // again: mov eax, ecx;  cmp eax, 5;  jz skip;  inc rbx;  skip: push rax;  pop rdx;  dec rcx;
    // jnz again;  hlt
    processor.place(code, {0x89, 0xc8, 0x83, 0xf8, 0x05, 0x74, 0x03, 0x48, 0xff, 0xc3, 0x50, 0x5a,
                           0x48, 0xff, 0xc9, 0x75, 0xef, 0xf4});
    std::vector<std::uint64_t> ips;
    TestProcessor reference;
    std::memcpy(&reference.bus.ram[code], &processor.bus.ram[code], 32);
    reference[RCX] = 9;
    for (int i = 0; i < 70; ++i) {
        ips.push_back(reference.cpu.state.rip);
        ASSERT_EQ(reference.cpu.run(1), RunResult::Budget);
    }
    for (std::int64_t first = 1; first < 35; ++first) {
        for (std::int64_t second = 1; second < 35; ++second) {
            processor[RCX] = 9;
            processor.cpu.state.rip = code;
            const std::uint64_t before = processor.cpu.instructions();
            ASSERT_EQ(processor.cpu.run(first), RunResult::Budget);
            ASSERT_EQ(processor.cpu.state.rip, ips[static_cast<std::size_t>(first)]);
            ASSERT_EQ(processor.cpu.run(second), RunResult::Budget);
            ASSERT_EQ(processor.cpu.state.rip, ips[static_cast<std::size_t>(first + second)]);
            ASSERT_EQ(processor.cpu.instructions() - before,
                      static_cast<std::uint64_t>(first + second));
        }
    }
}

}  // namespace
}  // namespace backplane::interp::testing
