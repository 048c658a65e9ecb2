// Code that is written over is executed as written, wherever the write comes from.
#include "test_processor.h"

#include <gtest/gtest.h>

namespace backplane::interp::testing {
namespace {

using x86::RAX, x86::RBX, x86::RCX;
constexpr std::uint64_t code = TestProcessor::code;

TEST(SelfModifyingCode, ChangesTheNextInstructionOfTheSameBlock) {
    TestProcessor processor;
    // mov byte [rip + 1], 7;  mov al, 1;  hlt
    processor.place(code, {0xc6, 0x05, 0x01, 0x00, 0x00, 0x00, 0x07, 0xb0, 0x01, 0xf4});
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX] & 0xff, 7u);
    EXPECT_EQ(processor.cpu.instructions(), 3u);
}

TEST(SelfModifyingCode, ChangesAnotherBlockThatHasRunAndIsLinked) {
    TestProcessor processor;
    // again: mov al, 1;  jmp next;  next: add bl, al;  inc byte [again + 1];  dec rcx;  jnz again;
    // hlt
    processor.place(code, {0xb0, 0x01, 0xeb, 0x00, 0x00, 0xc3, 0xfe, 0x05, 0xf5, 0xff, 0xff, 0xff,
                           0x48, 0xff, 0xc9, 0x75, 0xef, 0xf4});
    processor[RCX] = 5;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 1u + 2 + 3 + 4 + 5);
    EXPECT_EQ(processor.cpu.instructions(), 5u * 6 + 1);
}

// So often that memory of the blocks is used again, unless that takes too long.
TEST(SelfModifyingCode, ChangesAgainAndAgain) {
    TestProcessor processor;
    processor.place(code, {0xb0, 0x01, 0xeb, 0x00, 0x00, 0xc3, 0xfe, 0x05, 0xf5, 0xff, 0xff, 0xff,
                           0x48, 0xff, 0xc9, 0x75, 0xef, 0xf4});
    const std::uint64_t times = is_engine_slow() ? 200 : 100'000;
    processor[RCX] = times;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], times * (times + 1) / 2 & 0xff);
    EXPECT_EQ(processor.cpu.instructions(), times * 6 + 1);
}

TEST(SelfModifyingCode, ChangesAnInstructionThatCrossesAPage) {
    TestProcessor processor;
    const std::uint64_t at = code + 0xffe;
    // mov eax, imm32 in two pages;  inc dword [imm32];  dec rcx;  jnz;  hlt
    processor.place(at,
                    {0xb8, 0x10, 0x00, 0x00, 0x00, 0x01, 0xc3, 0xff, 0x05, 0xf4, 0xff, 0xff, 0xff});
    processor.place(at + 13, {0x48, 0xff, 0xc9, 0x75, 0xee, 0xf4});
    processor[RCX] = 3;
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RBX], 0x10u + 0x11 + 0x12);
    // Again with only the part in the second page changed: inc dword [imm32 + 1]
    processor.place(at + 1, {0x10});
    processor.cpu.invalidate_physical(at + 1, 1);
    processor.write<std::uint8_t>(at + 9, 0xf5);
    processor.cpu.invalidate_physical(at + 9, 1);
    processor[RCX] = 3;
    processor[RBX] = 0;
    EXPECT_TRUE(processor.run_to_halt(at));
    EXPECT_EQ(processor[RBX], 0x10u + 0x110 + 0x210);
}

TEST(SelfModifyingCode, IsSeenThroughAnAliasMapping) {
    TestProcessor processor;
    const std::uint64_t alias = 0x40'0000;
    processor.write<std::uint64_t>(TestProcessor::entry(alias), code | TestProcessor::entry_flags);
    // again: mov al, 1;  add bl, al;  inc byte [abs alias + 1];  dec rcx;  jnz again;  hlt
    processor.place(code, {0xb0, 0x01, 0x00, 0xc3, 0xfe, 0x04, 0x25, 0x01, 0x00, 0x40, 0x00, 0x48,
                           0xff, 0xc9, 0x75, 0xf0, 0xf4});
    // Writes through the alias before there is code, so that it has a writable entry in the TLB.
    processor.place(code + 0x100, {0xfe, 0x04, 0x25, 0x00, 0x01, 0x40, 0x00, 0xf4});
    EXPECT_TRUE(processor.run_to_halt(code + 0x100));
    processor[RCX] = 4;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RBX], 1u + 2 + 3 + 4);
}

TEST(SelfModifyingCode, ReachesTheInstructionsBehindARepeatedStore) {
    TestProcessor processor;
    // lea rdi, [rip + 2];  rep stosb: NOP over the first three of four HLT
    // 40h? it stays hlt last
    processor.place(code,
                    {0x48, 0x8d, 0x3d, 0x02, 0x00, 0x00, 0x00, 0xf3, 0xaa, 0xf4, 0xf4, 0xf4, 0xf4});
    processor[RAX] = 0x90;
    processor[RCX] = 3;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.cpu.state.rip, code + 13);
    EXPECT_EQ(processor.cpu.instructions(), 2u + 3 + 1);
}

TEST(SelfModifyingCode, WrittenByADeviceIsDecodedAnew) {
    TestProcessor processor;
    processor.place(code, {0xb0, 0x01, 0xf4});
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_TRUE(processor.bus.watched.contains(code));
    processor.write<std::uint8_t>(code + 1, 9);
    processor.cpu.invalidate_physical(code + 1, 1);
    EXPECT_FALSE(processor.bus.watched.contains(code));
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor[RAX], 9u);
}

TEST(SelfModifyingCode, LeavesCodeElsewhereInThePageAlone) {
    TestProcessor processor;
    // inc dword [rip + 200h];  dec rcx;  jnz;  hlt
    processor.place(code, {0xff, 0x05, 0x00, 0x02, 0x00, 0x00, 0x48, 0xff, 0xc9, 0x75, 0xf5, 0xf4});
    processor[RCX] = 100;
    EXPECT_TRUE(processor.run_to_halt());
    EXPECT_EQ(processor.read<std::uint32_t>(code + 0x206), 100u);
    EXPECT_EQ(processor.cpu.counters()[Counter::BlocksInvalidated], 0u);
}

}  // namespace
}  // namespace backplane::interp::testing
