// What is counted of compiling and of compiled code, against what programs are known to do.
#include "compiled_code.h"

#include <gtest/gtest.h>

namespace backplane::jit::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX, x86::RDX, x86::RSI;
constexpr std::uint64_t code = TestProcessor::code, data = TestProcessor::data;

struct JitCounts : ::testing::Test {
    std::uint64_t executed(Counter which) { return processor.cpu.counters()[which]; }
    std::uint64_t compiled(JitCounter which) { return compiler_of(processor).counters()[which]; }

    TestProcessor processor;
};

TEST_F(JitCounts, AreZeroBeforeAnythingIsExecuted) {
    for (unsigned i = 0; i < static_cast<unsigned>(JitCounter::Count); ++i)
        EXPECT_EQ(compiled(static_cast<JitCounter>(i)), 0u) << i;
    for (auto i = static_cast<unsigned>(Counter::CompiledEntries);
         i <= static_cast<unsigned>(Counter::CompiledDeviceAccesses); ++i)
        EXPECT_EQ(executed(static_cast<Counter>(i)), 0u) << i;
}

TEST_F(JitCounts, TellWhatCompilingTookAndMade) {
    // again: add rbx, rcx;  dec rcx;  jnz again;  cpuid;  hlt
    processor.place(code, {0x48, 0x01, 0xcb, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0x0f, 0xa2, 0xf4});
    processor[RCX] = 1000;
    ASSERT_TRUE(processor.run_to_halt());
    // The loop, CPUID and HLT, and again HLT, as CPUID leaves its block.
    EXPECT_EQ(compiled(JitCounter::Tier1Blocks), 3u);
    EXPECT_EQ(compiled(JitCounter::Tier1Instructions), 3u + 2 + 1);
    EXPECT_EQ(compiled(JitCounter::Tier1Untranslated), 3u);
    EXPECT_EQ(compiled(JitCounter::Tier1GuestBytes), 8u + 3 + 1);
    const std::uint64_t bytes = compiled(JitCounter::Tier1CodeBytes);
    EXPECT_GT(bytes, 12u);
    EXPECT_GE(compiled(JitCounter::CacheUsed), bytes);
    EXPECT_GT(compiled(JitCounter::Tier1Nanoseconds), 0u);
    EXPECT_EQ(executed(Counter::RefusedBlocks), 0u);
    EXPECT_EQ(compiled(JitCounter::Tier2Blocks), 0u);
}

TEST_F(JitCounts, TellHitsFromMissesAtTheBordersOfCompiledCode) {
    processor.place(code, {0x48, 0x01, 0xcb, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4});
    processor[RCX] = 1000;
    ASSERT_TRUE(processor.run_to_halt());
    // Each of two blocks is compiled when it is first met. The loop finds its start once, and is
    // linked to it.
    EXPECT_EQ(executed(Counter::CountedExecutions), 2u);
    EXPECT_EQ(executed(Counter::CompiledEntries), 1u);
    EXPECT_EQ(executed(Counter::LeftEdge), 2u) << "once around the loop, once out of it";
    processor[RCX] = 1000;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::CountedExecutions), 2u);
    EXPECT_EQ(executed(Counter::CompiledEntries), 1u + 2) << "from the run loop, and HLT";
    EXPECT_EQ(executed(Counter::LeftEdge), 2u + 1) << "HLT was not compiled the first time";
    processor[RCX] = 1000;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::CompiledEntries), 3u + 1);
    EXPECT_EQ(executed(Counter::LeftEdge), 3u) << "all is linked";
    EXPECT_EQ(executed(Counter::LeftUntranslated), 3u) << "HLT";
}

TEST_F(JitCounts, CountTranslationsOncePerPageOfAStream) {
    constexpr std::uint64_t pages = 64;
    // again: add rbx, [rsi];  add rsi, 8;  dec rcx;  jnz again;  hlt
    processor.place(code,
                    {0x48, 0x03, 0x1e, 0x48, 0x83, 0xc6, 0x08, 0x48, 0xff, 0xc9, 0x75, 0xf4, 0xf4});
    processor[RSI] = data;
    processor[RCX] = pages * 512;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::CompiledTranslations), pages) << "one of 512 accesses";
    EXPECT_EQ(executed(Counter::LeftAccess), pages);
    EXPECT_EQ(executed(Counter::CompiledResumes), pages) << "behind each of them";
    EXPECT_EQ(executed(Counter::CompiledDeviceAccesses), 0u) << "RAM is no device";
}

TEST_F(JitCounts, CountEachAccessToADevice) {
    constexpr std::uint64_t device = interp::testing::TestBus::device;
    processor.map(device, device);
    // again: mov eax, [rsi];  mov [rsi], eax;  dec rcx;  jnz again;  hlt
    processor.place(code, {0x8b, 0x06, 0x89, 0x06, 0x48, 0xff, 0xc9, 0x75, 0xf7, 0xf4});
    processor[RSI] = device;
    processor[RCX] = 100;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.bus.device_accesses, 200u);
    EXPECT_EQ(executed(Counter::CompiledDeviceAccesses), 200u);
    EXPECT_EQ(executed(Counter::DeviceReads) + executed(Counter::DeviceWrites), 200u);
}

TEST_F(JitCounts, TellWhyCodeIsLeft) {
    // again: mov edx, 1;  mov eax, 5;  div ecx;  jmp [rsi]
    //   with a dividend that DIV is not made for, and a target seen for the first time
    processor.place(
        code, {0xba, 0x01, 0x00, 0x00, 0x00, 0xb8, 0x05, 0x00, 0x00, 0x00, 0xf7, 0xf1, 0xff, 0x26});
    processor.place(code + 0x40, {0xf4});
    processor[RCX] = 1;
    processor[RSI] = data;
    processor.write<std::uint64_t>(data, code + 0x40);
    processor.run_to_halt();
    EXPECT_EQ(processor.stopped_in_vector(), 0) << "the quotient has 33 bits";
    EXPECT_EQ(executed(Counter::LeftValue), 1u);
    processor[RCX] = 2;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::LeftValue), 1u);
    EXPECT_EQ(executed(Counter::LeftAccess), 1u) << "the pointer's page";
    // Now its page is known, and the target has been seen, but the jump cache was not asked.
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::LeftTarget), 0u);
    processor.place(code + 0x80, {0xf4});
    processor.write<std::uint64_t>(data, code + 0x80);
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(executed(Counter::LeftTarget), 1u);
}

TEST_F(JitCounts, CountVectorRegistersWhenTheyMove) {
    // again: addps xmm0, xmm1;  dec rcx;  jnz again;  hlt
    processor.place(code, {0x0f, 0x58, 0xc1, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4});
    processor[RCX] = 1000;
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_GE(executed(Counter::VectorLoads), 1u);
    EXPECT_LE(executed(Counter::VectorLoads), 2u) << "they stay while the loop does";
    // CR0.TS: not without asking the guest.
    processor.cpu.state.cr0 |= 8;
    processor.cpu.state_replaced();
    processor[RCX] = 10;
    processor.run_to_halt();
    EXPECT_EQ(processor.stopped_in_vector(), 7);
    EXPECT_EQ(executed(Counter::LeftRegisters), 1u);
}

TEST_F(JitCounts, TellDroppedBlocksFromThoseThatMadeRoom) {
    processor.place(code, {0x48, 0xff, 0xc3, 0xf4});  // inc rbx;  hlt
    ASSERT_TRUE(processor.run_to_halt());
    processor.cpu.invalidate_physical(code, 1);
    EXPECT_EQ(compiled(JitCounter::CacheInvalidations), 1u);
    EXPECT_EQ(compiled(JitCounter::CacheEvictions), 0u);
    ASSERT_TRUE(processor.run_to_halt());
    EXPECT_EQ(compiled(JitCounter::Tier1Blocks), 2u) << "it was compiled anew";
}

TEST(JitEvictions, AreTheBlocksThatWereValidWhenTheMemoryWasFull) {
    TestProcessor processor{std::size_t{1} << 20};
    // A thousand blocks of their own in each of 16 pages: jmp +0
    for (std::uint64_t at = code; at < code + 0x10000; at += 4)
        processor.place(at, {0xeb, 0x02, 0x90, 0x90});
    processor.place(code + 0x10000, {0xf4});
    ASSERT_TRUE(processor.run_to_halt());
    const JitCounters& counters = compiler_of(processor).counters();
    EXPECT_GT(counters[JitCounter::CacheEvictions], 1000u);
    EXPECT_LT(counters[JitCounter::CacheEvictions], counters[JitCounter::Tier1Blocks]);
    EXPECT_EQ(counters[JitCounter::CacheInvalidations], 0u);
    EXPECT_LT(counters[JitCounter::CacheUsed], counters[JitCounter::Tier1CodeBytes]);
}

TEST(UntranslatedInstructions, AreCountedByName) {
    TestProcessor processor;
    // mov rsi, rcx;  again: xor eax, eax;  cpuid;  dec rsi;  jnz again;  hlt
    processor.place(code,
                    {0x48, 0x89, 0xce, 0x31, 0xc0, 0x0f, 0xa2, 0x48, 0xff, 0xce, 0x75, 0xf7, 0xf4});
    processor[RCX] = 50;
    ASSERT_TRUE(processor.run_to_halt());
    const Untranslated& untranslated = compiler_of(processor).untranslated();
    EXPECT_GE(untranslated[ZYDIS_MNEMONIC_CPUID].met, 1u);
    EXPECT_EQ(untranslated[ZYDIS_MNEMONIC_CPUID].left, 50u);
    EXPECT_EQ(untranslated[ZYDIS_MNEMONIC_HLT].left, 1u);
    EXPECT_EQ(untranslated[ZYDIS_MNEMONIC_DEC].met, 0u);
    EXPECT_EQ(processor.cpu.counters()[Counter::LeftUntranslated], 51u);
}

}  // namespace
}  // namespace backplane::jit::testing
