// Far jumps, calls and returns between code sizes and privilege levels (SDM 2 JMP, CALL, RET).
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::gate_word;
using testing::segment_word;
using testing::SystemMachine;
namespace attributes = testing::attributes;
namespace selector = testing::selector;

constexpr int np = 11, ss = 12, gp = 13;
constexpr std::uint64_t pointer = 0x5000, target = 0x9000;

void put_pointer32(SystemMachine& m, std::uint16_t to, std::uint32_t offset = target) {
    m.put<std::uint32_t>(pointer, offset);
    m.put<std::uint16_t>(pointer + 4, to);
    m.state().gpr[RAX] = pointer;
}

constexpr std::initializer_list<unsigned char> jump32 = {0xff, 0x28}, call32 = {0xff, 0x18};

TEST(FarJump, GoesTo64BitCodeAndToCompatibilityMode) {
    auto m = SystemMachine::in_long_mode(0);
    put_pointer32(m, selector::code32);
    EXPECT_EQ(m.run(jump32), Outcome::Jump);
    EXPECT_EQ(m.state().rip, target);
    EXPECT_FALSE(m.state().code64());
    EXPECT_EQ(m.fake.mode_changes, 1u);

    // ljmp $code64, $0xa000, as a boot loader leaves 32-bit code
    EXPECT_EQ(m.run({0xea, 0x00, 0xa0, 0x00, 0x00, selector::code64, 0x00}), Outcome::Jump);
    EXPECT_EQ(m.state().rip, 0xa000u);
    EXPECT_TRUE(m.state().code64());
}

TEST(FarJump, SetsTheRplOfCsToThePrivilege) {
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + selector::free,
          segment_word(attributes::code64 | attribute::conforming));
    put_pointer32(m, selector::free);
    EXPECT_EQ(m.run(jump32), Outcome::Jump);
    EXPECT_EQ(m.state().segments[CS].selector, selector::free | 3);
    EXPECT_EQ(m.state().cpl, 3);
}

TEST(FarJump, RefusesWhatTheSdmRefuses) {
    auto m = SystemMachine::in_long_mode(0);
    const auto jump = [&](std::uint16_t to, std::uint16_t bits, std::uint32_t limit = 0xfffff) {
        m.put(SystemMachine::gdt + selector::free, segment_word(bits, limit));
        put_pointer32(m, to);
        const SegmentRegister before = m.state().segments[CS];
        m.run(jump32);
        EXPECT_EQ(m.state().segments[CS].selector, before.selector);
        return m.vector();
    };
    EXPECT_EQ(jump(0, 0), gp);
    EXPECT_EQ(m.error_code(), 0u);
    EXPECT_EQ(jump(selector::free, attributes::data32), gp);
    EXPECT_EQ(m.error_code(), selector::free);
    EXPECT_EQ(jump(selector::free, attributes::code32 | attributes::at(3)), gp);
    EXPECT_EQ(jump(selector::free | 3, attributes::code32), gp) << "RPL above CPL";
    EXPECT_EQ(jump(selector::free, attributes::code32 | attribute::long_code), gp) << "L and D";
    EXPECT_EQ(jump(selector::free, attributes::code64 & ~attribute::present), np);
    EXPECT_EQ(m.error_code(), selector::free);
    EXPECT_EQ(jump(selector::free, attributes::code32 & ~attribute::granular, 0x8fff), gp)
        << "beyond the limit";
    EXPECT_EQ(m.error_code(), 0u);
    EXPECT_EQ(jump(selector::free, 9 | attribute::present), gp)
        << "a task-state segment in IA-32e mode";
}

TEST(FarJump, InRealModeLoadsCs) {
    auto m = SystemMachine::in_real_mode();
    EXPECT_EQ(m.run({0xea, 0x34, 0x12, 0x00, 0xf0}), Outcome::Jump);
    EXPECT_EQ(m.state().rip, 0x1234u);
    EXPECT_EQ(m.state().segments[CS].base, 0xf0000u);
}

TEST(FarCall, AndReturnComeBackToTheSamePlace) {
    auto m = SystemMachine::in_long_mode(0);
    put_pointer32(m, selector::code32);
    EXPECT_EQ(m.run(call32), Outcome::Jump);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 8);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack - 8), SystemMachine::code + 2);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack - 4), selector::code64);
    EXPECT_EQ(m.run({0xcb}), Outcome::Jump);  // retf in 32-bit code
    EXPECT_TRUE(m.state().code64());
    EXPECT_EQ(m.state().rip, SystemMachine::code + 2);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
}

// APM 3, CALL far: CS is loaded before the pushes. Zen does so.
TEST(FarCall, UsesTheStackAsItsTargetDoes) {
    constexpr std::uint64_t beyond_32_bits = std::uint64_t{1} << 40;
    auto m = SystemMachine::in_long_mode(0);
    m.state().segments[SS].base = 0x1000;
    m.state().gpr[RSP] = SystemMachine::stack + beyond_32_bits;
    put_pointer32(m, selector::code32);
    EXPECT_EQ(m.run(call32), Outcome::Jump);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 8);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack + 0x1000 - 8), SystemMachine::code + 2);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack + 0x1000 - 4), selector::code64);

    // call 64-bit code, on the same stack without its base
    EXPECT_EQ(m.run({0x9a, 0x00, 0xa0, 0x00, 0x00, selector::code64, 0x00}), Outcome::Jump);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 16);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack - 16), target + 7);
    EXPECT_EQ(m.get<std::uint32_t>(SystemMachine::stack - 12), selector::code32);
}

TEST(FarReturn, WithRexWPopsQuadwords) {
    auto m = SystemMachine::in_long_mode(0);
    m.put<std::uint64_t>(SystemMachine::stack, 0xffff800000001234);
    m.put<std::uint64_t>(SystemMachine::stack + 8, selector::code64);
    EXPECT_EQ(m.run({0x48, 0xca, 0x10, 0x00}), Outcome::Jump);  // lretq $16
    EXPECT_EQ(m.state().rip, 0xffff800000001234u);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack + 32);
}

TEST(FarReturn, ToPrivilege3LoadsTheStackAndDropsKernelSegments) {
    auto m = SystemMachine::in_long_mode(0);
    const std::uint64_t frame[] = {0x401000, selector::user_code64, 0x7ff000, selector::user_data};
    for (unsigned i = 0; i < 4; ++i)
        m.put(SystemMachine::stack + 8 * i, frame[i]);
    m.load_flat(DS, selector::data);
    m.load_flat(ES, selector::user_data);
    m.state().segments[FS].base = 0x1234567890;  // null, with a base set through the MSR
    EXPECT_EQ(m.run({0x48, 0xcb}), Outcome::Jump);
    const CpuState& s = m.state();
    EXPECT_EQ(s.cpl, 3);
    EXPECT_EQ(s.rip, 0x401000u);
    EXPECT_EQ(s.gpr[RSP], 0x7ff000u);
    EXPECT_EQ(s.segments[SS].selector, selector::user_data);
    EXPECT_EQ(s.segments[DS].selector, 0);
    EXPECT_EQ(s.segments[ES].selector, selector::user_data);
    EXPECT_EQ(s.segments[FS].base, 0x1234567890u);
}

TEST(FarReturn, NeverGoesInwards) {
    auto m = SystemMachine::in_long_mode(3);
    m.put<std::uint64_t>(SystemMachine::stack, target);
    m.put<std::uint64_t>(SystemMachine::stack + 8, selector::code64);
    m.run({0x48, 0xcb});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), selector::code64);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
}

TEST(FarReturn, ToAnOuterLevelChecksTheStackSegment) {
    auto m = SystemMachine::in_long_mode(0);
    const auto with_stack_selector = [&](std::uint64_t stack_selector) {
        const std::uint64_t frame[] = {0x401000, selector::user_code64, 0x7ff000, stack_selector};
        for (unsigned i = 0; i < 4; ++i)
            m.put(SystemMachine::stack + 8 * i, frame[i]);
        m.run({0x48, 0xcb});
        EXPECT_EQ(m.state().cpl, 0);
        return m.vector();
    };
    EXPECT_EQ(with_stack_selector(0), gp);
    EXPECT_EQ(with_stack_selector(selector::data), gp);
    m.put(SystemMachine::gdt + selector::free,
          segment_word((attributes::data32 & ~attribute::present) | attributes::at(3)));
    EXPECT_EQ(with_stack_selector(selector::free | 3), ss);
    EXPECT_EQ(m.error_code(), selector::free);
}

TEST(CallGate, In64BitModeSwitchesToTheTaskStack) {
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + selector::free,
          gate_word(SystemType::CallGate, selector::code64, 0x12345678, 3));
    m.put<std::uint64_t>(SystemMachine::gdt + selector::free + 8, 0xffff8000);
    put_pointer32(m, selector::free | 3);
    EXPECT_EQ(m.run(call32), Outcome::Jump);
    const CpuState& s = m.state();
    EXPECT_EQ(s.rip, 0xffff800012345678u);
    EXPECT_EQ(s.cpl, 0);
    EXPECT_EQ(s.segments[CS].selector, selector::code64);
    EXPECT_EQ(s.segments[SS].selector, 0);
    EXPECT_EQ(s.gpr[RSP], SystemMachine::ring0_stack - 32);
    EXPECT_EQ(m.get<std::uint64_t>(s.gpr[RSP]), SystemMachine::code + 2);
    EXPECT_EQ(m.get<std::uint64_t>(s.gpr[RSP] + 8), selector::user_code64);
    EXPECT_EQ(m.get<std::uint64_t>(s.gpr[RSP] + 16), SystemMachine::stack);
    EXPECT_EQ(m.get<std::uint64_t>(s.gpr[RSP] + 24), selector::user_data);
    // And back.
    EXPECT_EQ(m.run({0x48, 0xcb}), Outcome::Jump);
    EXPECT_EQ(m.state().cpl, 3);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
}

TEST(CallGate, ChecksItsOwnPrivilegeAndPresence) {
    auto m = SystemMachine::in_long_mode(3);
    m.put(SystemMachine::gdt + selector::free,
          gate_word(SystemType::CallGate, selector::code64, target, 0));
    put_pointer32(m, selector::free | 3);
    m.run(call32);
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), selector::free);
    const auto absent = gate_word(SystemType::CallGate, selector::code64, target, 3) &
                        ~(1ull << 47);
    m.put(SystemMachine::gdt + selector::free, absent);
    m.run(call32);
    EXPECT_EQ(m.vector(), np);
    m.put(SystemMachine::gdt + selector::free,
          gate_word(SystemType::CallGate, selector::code32, target, 3));
    m.run(call32);
    EXPECT_EQ(m.vector(), gp) << "gates of IA-32e mode lead to 64-bit code only";
    EXPECT_EQ(m.error_code(), selector::code32);
}

TEST(CallGate, InProtectedModeCopiesParameters) {
    auto m = SystemMachine::in_protected_mode(3);
    m.put(SystemMachine::gdt + selector::free,
          gate_word(SystemType::CallGate, selector::code32, target, 3, 2));
    m.put<std::uint32_t>(SystemMachine::stack, 0x1111);
    m.put<std::uint32_t>(SystemMachine::stack + 4, 0x2222);
    put_pointer32(m, selector::free | 3);
    EXPECT_EQ(m.run(call32), Outcome::Jump);
    const std::uint64_t esp = m.state().gpr[RSP];
    EXPECT_EQ(esp, SystemMachine::ring0_stack - 24);
    EXPECT_EQ(m.state().segments[SS].selector, selector::data);
    const std::uint32_t frame[] = {SystemMachine::code + 2, selector::user_code32, 0x1111, 0x2222,
                                   SystemMachine::stack,    selector::user_data};
    for (unsigned i = 0; i < 6; ++i)
        EXPECT_EQ(m.get<std::uint32_t>(esp + 4 * i), frame[i]) << i;
    EXPECT_EQ(m.run({0xca, 0x08, 0x00}), Outcome::Jump);  // lret $8
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack + 8);
    EXPECT_EQ(m.state().segments[SS].selector, selector::user_data);
}

}  // namespace
}  // namespace backplane::x86
