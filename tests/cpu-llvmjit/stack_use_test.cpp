// The stack in compiled code: several places are checked at once, and none of it is to be noticed.
#include "compiled_code.h"
#include "tier1/stack_use.h"
#include "x86/decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDX, x86::RDI, x86::RSI, x86::RSP;

struct CompiledStack : ::testing::Test {
    static constexpr std::uint64_t page = 0x1000, stack = TestProcessor::data + 4 * page;

    bool run(std::uint64_t rsp, std::uint64_t from = TestProcessor::code) {
        TestProcessor& cpu = *processor;
        cpu[RSP] = rsp;
        cpu[RAX] = 0xa1;
        cpu[RBX] = 0xb2;
        cpu[RCX] = 0xc3;
        for (const auto gpr : {RDX, RSI, RDI})
            cpu[gpr] = 0;
        return cpu.run_to_halt(from);
    }

    std::uint64_t accesses_left() const {
        return processor->cpu.counts[static_cast<std::size_t>(Counter::LeftAccess)];
    }

    std::unique_ptr<TestProcessor> processor = make_compiling_processor();
};

TEST_F(CompiledStack, IsTheSameAnywhereInTwoPages) {
    // push rax;  push rbx;  mov [rsp+8], rcx;  mov rdx, [rsp];  add qword [rsp], 1;  pop rsi;
    // sub rsp, 16;  lea rsp, [rsp+16];  pop rdi;  hlt
    processor->place(TestProcessor::code,
                     {0x50, 0x53, 0x48, 0x89, 0x4c, 0x24, 0x08, 0x48, 0x8b, 0x14,
                      0x24, 0x48, 0x83, 0x04, 0x24, 0x01, 0x5e, 0x48, 0x83, 0xec,
                      0x10, 0x48, 0x8d, 0x64, 0x24, 0x10, 0x5f, 0xf4});
    for (int round = 0; round < 40; ++round)
        for (std::uint64_t rsp = stack - 24; rsp <= stack + 24; ++rsp) {
            SCOPED_TRACE(fmt::format("{:x}", rsp));
            ASSERT_TRUE(run(rsp));
            TestProcessor& cpu = *processor;
            ASSERT_EQ(cpu[RDX], 0xb2u);
            ASSERT_EQ(cpu[RSI], 0xb3u);
            ASSERT_EQ(cpu[RDI], 0xc3u);
            ASSERT_EQ(cpu[RSP], rsp);
            ASSERT_EQ(cpu.read<std::uint64_t>(rsp - 8), 0xc3u);
            ASSERT_EQ(cpu.read<std::uint64_t>(rsp - 16), 0xb3u);
        }
}

TEST_F(CompiledStack, NeedsNoInterpreterInOnePage) {
    processor->place(TestProcessor::code, {0x50, 0x53, 0x5e, 0x5f, 0xf4});  // two PUSH, two POP
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(run(stack + 0x800));
    const std::uint64_t before = accesses_left();
    ASSERT_TRUE(run(stack + 0x800));
    EXPECT_EQ(accesses_left(), before);
}

// What is in front of the fault is done, and nothing behind it.
TEST_F(CompiledStack, FaultsWhereTheSecondPageIsMissing) {
    TestProcessor& cpu = *processor;
    cpu.place(TestProcessor::code, {0x5e, 0x5f, 0x5a, 0xf4});  // pop rsi;  pop rdi;  pop rdx;  hlt
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(run(stack - 16));
    cpu.map(stack, stack, 0);
    cpu.cpu.flush_tlb_page(stack);
    cpu.write<std::uint64_t>(stack - 16, 0x77);
    cpu.write<std::uint64_t>(stack - 8, 0x88);
    for (int i = 0; i < 3; ++i) {
        EXPECT_FALSE(run(stack - 16));
        EXPECT_EQ(cpu.stopped_in_vector(), 14);
        EXPECT_EQ(cpu.cpu.state.cr2, stack);
        EXPECT_EQ(cpu[RSI], 0x77u);
        EXPECT_EQ(cpu[RDI], 0x88u);
        EXPECT_EQ(cpu[RDX], 0u);
        // What the handler was given is what was popped last.
        cpu.write<std::uint64_t>(stack - 16, 0x77);
        cpu.write<std::uint64_t>(stack - 8, 0x88);
    }
}

// A read in front of a write does not make the page a written one.
TEST_F(CompiledStack, IsWrittenWhenItIs) {
    constexpr std::uint64_t dirty = 0x40;
    TestProcessor& cpu = *processor;
    // mov rsi, [rsp];  mov rdi, [rsp+8];  test rsi, rsi;  jz +5;  mov [rsp+16], rcx;  hlt
    cpu.place(TestProcessor::code, {0x48, 0x8b, 0x34, 0x24, 0x48, 0x8b, 0x7c, 0x24, 0x08, 0x48,
                                    0x85, 0xf6, 0x74, 0x05, 0x48, 0x89, 0x4c, 0x24, 0x10, 0xf4});
    const std::uint64_t rsp = stack + 0x100;
    cpu.write<std::uint64_t>(rsp, 1);
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(run(rsp));
    cpu.map(stack, stack);
    cpu.cpu.flush_tlb_page(stack);
    cpu.write<std::uint64_t>(rsp, 0);
    for (int i = 0; i < 4; ++i)
        ASSERT_TRUE(run(rsp));
    EXPECT_EQ(cpu.read<std::uint64_t>(TestProcessor::entry(stack)) & dirty, 0u);
    cpu.write<std::uint64_t>(rsp, 1);
    ASSERT_TRUE(run(rsp));
    EXPECT_NE(cpu.read<std::uint64_t>(TestProcessor::entry(stack)) & dirty, 0u);
}

// Between two places another access is left to the interpreter, which comes back.
TEST_F(CompiledStack, IsFoundAgainBehindAnAccessToADevice) {
    TestProcessor& cpu = *processor;
    constexpr std::uint64_t linear = 0x4000'0000;
    cpu.map(linear, interp::testing::TestBus::device);
    cpu.bus.on_read = [](std::uint64_t, unsigned) { return 0x55; };
    // push rax;  push rbx;  mov edx, [ecx];  pop rsi;  pop rdi;  hlt
    cpu.place(TestProcessor::code, {0x50, 0x53, 0x67, 0x8b, 0x11, 0x5e, 0x5f, 0xf4});
    for (const std::uint64_t rsp : {stack + 0x100, stack + 8, stack + 0x200})
        for (int i = 0; i < 4; ++i) {
            cpu[RSP] = rsp;
            cpu[RAX] = 0xa1;
            cpu[RBX] = 0xb2;
            cpu[RCX] = linear;
            ASSERT_TRUE(cpu.run_to_halt());
            EXPECT_EQ(cpu[RDX], 0x55u);
            EXPECT_EQ(cpu[RSI], 0xb2u);
            EXPECT_EQ(cpu[RDI], 0xa1u);
        }
}

TEST_F(CompiledStack, IsFollowedToWhereItIsSet) {
    TestProcessor& cpu = *processor;
    // push rax;  push rbx;  mov rsp, rcx;  push rbx;  push rax;  pop rsi;  pop rdi;  hlt
    cpu.place(TestProcessor::code, {0x50, 0x53, 0x48, 0x89, 0xcc, 0x53, 0x50, 0x5e, 0x5f, 0xf4});
    for (int i = 0; i < 5; ++i) {
        cpu[RSP] = stack + 0x100;
        cpu[RAX] = 0xa1;
        cpu[RBX] = 0xb2;
        cpu[RCX] = stack + 3 * page;
        ASSERT_TRUE(cpu.run_to_halt());
        EXPECT_EQ(cpu[RSI], 0xa1u);
        EXPECT_EQ(cpu[RDI], 0xb2u);
        EXPECT_EQ(cpu[RSP], stack + 3 * page);
        EXPECT_EQ(cpu.read<std::uint64_t>(stack + 0xf0), 0xb2u);
    }
}

StackUse use_of(const std::vector<std::uint8_t>& bytes) {
    std::vector<x86::Instruction> instructions;
    for (std::span rest{bytes}; !rest.empty();
         rest = rest.subspan(instructions.back().decoded.length))
        EXPECT_EQ(x86::Decoder{}.decode(std::as_bytes(rest), x86::CodeSize::Bits64, 0x1000,
                                        instructions.emplace_back()),
                  x86::DecodeStatus::Complete);
    return StackUse::of(instructions);
}

TEST(StackUse, IsKnownFromWhereThePointerIs) {
    // push rbp;  sub rsp, 32;  mov [rsp+8], rax;  mov rax, [rcx];  call +0
    const StackUse use = use_of({0x55, 0x48, 0x83, 0xec, 0x20, 0x48, 0x89, 0x44, 0x24, 0x08, 0x48,
                                 0x8b, 0x01, 0xe8, 0, 0, 0, 0});
    const StackUse::Group* group = use.group_at(0);
    ASSERT_TRUE(group);
    EXPECT_EQ(group->access, Access::Write);
    EXPECT_EQ(group->start, -48);
    EXPECT_EQ(group->end, 0);
    EXPECT_EQ(group->last, 4);
    EXPECT_EQ(use.group_at(2), group);
    EXPECT_EQ(use.group_at(4), group);
    EXPECT_FALSE(use.group_at(1));
    EXPECT_FALSE(use.group_at(3));
    EXPECT_EQ(use.pointer_at(0), 0);
    EXPECT_EQ(use.pointer_at(2), -40);
}

TEST(StackUse, IsDividedWhereItHasTo) {
    // mov rax, [rsp];  mov rcx, [rsp+8];  push rax;  push rcx;  and rsp, -16;  push rax;
    // mov [rsp+rax], rcx;  mov fs:[rsp], rcx;  mov [rsp+0x1000], rcx
    const StackUse use = use_of({0x48, 0x8b, 0x04, 0x24, 0x48, 0x8b, 0x4c, 0x24, 0x08, 0x50, 0x51,
                                 0x48, 0x83, 0xe4, 0xf0, 0x50, 0x48, 0x89, 0x0c, 0x04, 0x64, 0x48,
                                 0x89, 0x0c, 0x24, 0x48, 0x89, 0x8c, 0x24, 0x00, 0x10, 0x00, 0x00});
    ASSERT_TRUE(use.group_at(0) && use.group_at(2));
    EXPECT_EQ(use.group_at(0), use.group_at(1));
    EXPECT_EQ(use.group_at(0)->access, Access::Read) << "until something is written";
    EXPECT_EQ(use.group_at(2), use.group_at(3));
    EXPECT_NE(use.group_at(0), use.group_at(2));
    EXPECT_EQ(use.group_at(2)->access, Access::Write);
    for (const unsigned alone : {5u, 6u, 7u, 8u})
        EXPECT_FALSE(use.group_at(alone)) << alone;
}

}  // namespace
}  // namespace backplane::jit::testing
