// Delivery of interrupts and exceptions and the returns from them (SDM 3A 6, SDM 2 INT n and IRET).
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::gate_word;
using testing::segment_word;
using testing::SystemMachine;
namespace attributes = testing::attributes;
namespace selector = testing::selector;

constexpr int df = 8, ts = 10, np = 11, ss = 12, gp = 13, pf = 14;
constexpr std::uint64_t handler = SystemMachine::handler;
constexpr std::uint64_t if_set = rflags::reserved1 | rflags::if_;

SystemMachine long_mode_with_gates(unsigned cpl) {
    auto m = SystemMachine::in_long_mode(cpl);
    for (unsigned vector = 0; vector < 64; ++vector)
        m.put_gate64(vector,
                     gate_word(SystemType::InterruptGate, selector::code64, handler + vector * 16));
    m.state().rflags = if_set;
    return m;
}

void expect_frame64(SystemMachine& m, std::uint64_t at,
                    std::initializer_list<std::uint64_t> words) {
    unsigned index = 0;
    for (const std::uint64_t word : words) {
        EXPECT_EQ(m.get<std::uint64_t>(at + 8 * index), word) << "word " << index;
        ++index;
    }
}

TEST(Ia32eDelivery, PushesTheFrameOnTheAlignedCurrentStack) {
    auto m = long_mode_with_gates(0);
    m.state().gpr[RSP] = SystemMachine::stack + 5;
    EXPECT_EQ(deliver_interrupt(m, 32, 0x1234), Delivery::Delivered);
    const CpuState& s = m.state();
    EXPECT_EQ(s.rip, handler + 32 * 16);
    EXPECT_EQ(s.gpr[RSP], SystemMachine::stack - 40);
    expect_frame64(m, s.gpr[RSP],
                   {0x1234, selector::code64, if_set, SystemMachine::stack + 5, selector::data});
    EXPECT_EQ(s.segments[SS].selector, selector::data) << "SS stays without a change of privilege";
    EXPECT_EQ(s.rflags, rflags::reserved1);
}

TEST(Ia32eDelivery, FromPrivilege3UsesTheTaskStackAndANullStackSegment) {
    auto m = long_mode_with_gates(3);
    m.state().flags.set_sub<std::uint32_t>(1, 2);
    const std::uint64_t flags = m.state().full_rflags();
    EXPECT_EQ(deliver_fault(m, {.vector = Vector::PageFault, .error_code = 6, .address = 0xdead},
                            0x401000),
              Delivery::Delivered);
    const CpuState& s = m.state();
    EXPECT_EQ(s.cpl, 0);
    EXPECT_EQ(s.cr2, 0xdeadu);
    EXPECT_EQ(s.gpr[RSP], SystemMachine::ring0_stack - 48);
    expect_frame64(m, s.gpr[RSP],
                   {6, 0x401000, selector::user_code64, flags | rflags::rf, SystemMachine::stack,
                    selector::user_data});
    EXPECT_EQ(s.segments[CS].selector, selector::code64);
    EXPECT_EQ(s.segments[SS].selector, 0);
    EXPECT_GT(m.fake.mode_changes, 0u);
}

TEST(Ia32eDelivery, UsesTheInterruptStackTable) {
    auto m = long_mode_with_gates(0);
    m.put_gate64(2, gate_word(SystemType::InterruptGate, selector::code64, handler, 0, 1));
    EXPECT_EQ(deliver_nmi(m, 0x1234), Delivery::Delivered);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::ist1_stack - 40);
    EXPECT_EQ(m.state().segments[SS].selector, selector::data);
    EXPECT_TRUE(m.state().nmi_blocked);
}

TEST(Ia32eDelivery, ATrapGateLeavesInterruptsOn) {
    auto m = long_mode_with_gates(0);
    m.put_gate64(3, gate_word(SystemType::TrapGate, selector::code64, 0x12345678, 3), 0xffff8000);
    m.state().rflags |= rflags::tf | rflags::nt;
    EXPECT_EQ(m.run({0xcc}), Outcome::Jump);  // int3
    EXPECT_EQ(m.state().rip, 0xffff800012345678u);
    EXPECT_EQ(m.state().rflags, if_set);
    EXPECT_EQ(m.get<std::uint64_t>(m.state().gpr[RSP]), SystemMachine::code + 1);
}

TEST(Ia32eDelivery, EndsHaltAndShadow) {
    auto m = long_mode_with_gates(0);
    m.state().halted = m.state().interrupt_shadow = true;
    deliver_interrupt(m, 32, 0x1234);
    EXPECT_FALSE(m.state().halted);
    EXPECT_FALSE(m.state().interrupt_shadow);
}

struct GateCase {
    const char* what;
    std::uint64_t gate;
    int vector;
    std::uint32_t error_code;
};

// INT 0x20 from privilege 3: software errors have EXT clear.
TEST(SoftwareInterrupt, ChecksTheGateInTheOrderOfTheSdm) {
    const auto call = [](const GateCase& c) {
        auto m = long_mode_with_gates(3);
        m.put_gate64(0x20, c.gate);
        const std::uint64_t rsp = m.state().gpr[RSP];
        m.run({0xcd, 0x20});
        EXPECT_EQ(m.vector(), c.vector) << c.what;
        if (c.vector < 0) return;
        EXPECT_EQ(m.error_code(), c.error_code) << c.what;
        EXPECT_EQ(m.state().gpr[RSP], rsp) << c.what;
        EXPECT_EQ(m.state().cpl, 3) << c.what;
    };
    using enum SystemType;
    constexpr std::uint64_t present = 1ull << 47;
    constexpr std::uint32_t idt_entry = 0x20 * 8 + 2;
    call({"allowed", gate_word(InterruptGate, selector::code64, handler, 3), -1, 0});
    call({"DPL 0", gate_word(InterruptGate, selector::code64, handler, 0), gp, idt_entry});
    call({"absent, DPL 0", gate_word(InterruptGate, selector::code64, handler, 0) & ~present, gp,
          idt_entry});
    call({"absent", gate_word(InterruptGate, selector::code64, handler, 3) & ~present, np,
          idt_entry});
    call({"a task gate", gate_word(TaskGate, selector::code64, handler, 3), gp, idt_entry});
    call(
        {"a 16-bit gate", gate_word(InterruptGate16, selector::code64, handler, 3), gp, idt_entry});
    call({"null code", gate_word(InterruptGate, 0, handler, 3), gp, 0});
    call({"compatibility code", gate_word(InterruptGate, selector::code32, handler, 3), gp,
          selector::code32});
    call({"data", gate_word(InterruptGate, selector::data, handler, 3), gp, selector::data});
    call({"beyond the GDT", gate_word(InterruptGate, 0x1000, handler, 3), gp, 0x1000});
}

TEST(HardwareInterrupt, IgnoresTheGatesDplAndSetsExtInErrors) {
    auto m = long_mode_with_gates(3);
    EXPECT_EQ(
        deliver(
            m, {.vector = 0x20, .source = EventSource::External, .return_ip = 0, .error_code = {}}),
        Outcome::Jump);
    auto without = long_mode_with_gates(3);
    without.put_gate64(0x20, 0);
    EXPECT_EQ(
        deliver(
            without,
            {.vector = 0x20, .source = EventSource::External, .return_ip = 0, .error_code = {}}),
        Outcome::Fault);
    EXPECT_EQ(without.vector(), gp);
    EXPECT_EQ(without.error_code(), 0x20u * 8 + 3);
}

TEST(HardwareInterrupt, BeyondTheTableFaults) {
    auto m = long_mode_with_gates(0);
    m.state().idtr.limit = 0x20 * 16 + 14;
    EXPECT_EQ(deliver_interrupt(m, 0x20, 0x1234), Delivery::Delivered);
    EXPECT_EQ(m.state().rip, handler + gp * 16);
    EXPECT_EQ(m.get<std::uint64_t>(m.state().gpr[RSP]), 0x20u * 8 + 3);
    EXPECT_EQ(m.get<std::uint64_t>(m.state().gpr[RSP] + 8), 0x1234u);
}

TEST(TaskStateSegment, TooShortForTheStackFaults) {
    auto m = long_mode_with_gates(3);
    m.state().tr.limit = tss64::rsp0 + 6;
    EXPECT_EQ(
        deliver(m,
                {.vector = 32, .source = EventSource::External, .return_ip = 0, .error_code = {}}),
        Outcome::Fault);
    EXPECT_EQ(m.vector(), ts);
    EXPECT_EQ(m.error_code(), selector::tss | 1u);
}

TEST(TaskStateSegment, WithANonCanonicalStackFaults) {
    auto m = long_mode_with_gates(3);
    m.put<std::uint64_t>(SystemMachine::task + tss64::rsp0, 0x0000800000000010);
    EXPECT_EQ(
        deliver(m,
                {.vector = 32, .source = EventSource::External, .return_ip = 0, .error_code = {}}),
        Outcome::Fault);
    EXPECT_EQ(m.vector(), ss);
    EXPECT_EQ(m.error_code(), 1u);
}

// SDM 3A table 6-5, all pairs of classes.
TEST(Escalation, FollowsTheDoubleFaultTable) {
    using enum Vector;
    const Vector benign[] = {Debug,          NonMaskable,   Breakpoint,         Overflow,
                             BoundRange,     InvalidOpcode, DeviceNotAvailable, FloatingPoint,
                             AlignmentCheck, MachineCheck,  SimdFloatingPoint};
    const Vector contributory[] = {DivideError, InvalidTss, SegmentNotPresent, StackFault,
                                   GeneralProtection};
    const auto result = [](Vector first, Vector second) {
        const auto fault = escalate(first, {.vector = second, .error_code = 5});
        return fault ? static_cast<int>(fault->vector) : -1;
    };
    for (const Vector second : contributory) {
        for (const Vector first : benign)
            EXPECT_EQ(result(first, second), static_cast<int>(second));
        for (const Vector first : contributory)
            EXPECT_EQ(result(first, second), df);
        EXPECT_EQ(result(PageFault, second), df);
        EXPECT_EQ(result(second, PageFault), pf);
        EXPECT_EQ(result(DoubleFault, second), -1);
    }
    for (const Vector first : benign) {
        EXPECT_EQ(result(first, PageFault), pf);
        EXPECT_EQ(result(PageFault, first), static_cast<int>(first));
    }
    EXPECT_EQ(result(PageFault, PageFault), df);
    EXPECT_EQ(result(DoubleFault, PageFault), -1);
}

TEST(DoubleFault, ComesFromAnAbsentPageFaultHandler) {
    auto m = long_mode_with_gates(0);
    m.put_gate64(pf, 0);
    EXPECT_EQ(
        deliver_fault(m, {.vector = Vector::PageFault, .error_code = 2, .address = 0x77}, 0x1234),
        Delivery::Delivered);
    EXPECT_EQ(m.state().rip, handler + df * 16);
    EXPECT_EQ(m.state().cr2, 0x77u);
    expect_frame64(m, m.state().gpr[RSP], {0, 0x1234, selector::code64});
}

TEST(DoubleFault, ComesFromAnUnmappedKernelStackAndItsOwnStackSavesIt) {
    auto m = long_mode_with_gates(0);
    m.put_gate64(df, gate_word(SystemType::InterruptGate, selector::code64, handler, 0, 1));
    m.absent.insert((SystemMachine::stack - 8) >> 12);
    EXPECT_EQ(
        deliver_fault(m, {.vector = Vector::PageFault, .error_code = 2, .address = 0x77}, 0x1234),
        Delivery::Delivered);
    EXPECT_EQ(m.state().rip, handler);
    EXPECT_EQ(m.state().cr2 >> 12, (SystemMachine::stack - 8) >> 12);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::ist1_stack - 48);
}

TEST(TripleFault, ShutsDown) {
    auto m = long_mode_with_gates(0);
    m.state().idtr.limit = 0;
    const std::uint64_t rsp = m.state().gpr[RSP];
    EXPECT_EQ(deliver_fault(m, {.vector = Vector::InvalidOpcode}, 0x1234), Delivery::Shutdown);
    EXPECT_EQ(m.state().gpr[RSP], rsp);
}

TEST(DebugException, RecordsItsCauseAndOpensTheRegisters) {
    auto m = long_mode_with_gates(0);
    m.state().dr[7] |= debug::dr7_gd;
    m.run({0x0f, 0x21, 0xf8});  // mov rax, dr7
    EXPECT_EQ(m.vector(), 1);
    deliver_fault(m, m.take_fault(), SystemMachine::code);
    EXPECT_EQ(m.state().dr[6], debug::dr6_fixed_ones | debug::dr6_bd);
    EXPECT_EQ(m.state().dr[7] & debug::dr7_gd, 0u);
}

TEST(InterruptReturn, Restores64BitCodeFlagsAndStack) {
    auto m = long_mode_with_gates(3);
    m.state().flags.set_sub<std::uint32_t>(1, 2);
    const CpuState before = m.state();
    deliver_interrupt(m, 32, 0x401000);
    EXPECT_EQ(m.run({0x48, 0xcf}), Outcome::Jump);  // iretq
    const CpuState& s = m.state();
    EXPECT_EQ(s.rip, 0x401000u);
    EXPECT_EQ(s.cpl, 3);
    EXPECT_EQ(s.gpr[RSP], before.gpr[RSP]);
    EXPECT_EQ(s.full_rflags(), before.full_rflags());
    EXPECT_EQ(s.segments[SS].selector, before.segments[SS].selector);
    EXPECT_EQ(s.segments[SS].attributes, before.segments[SS].attributes);
}

TEST(InterruptReturn, GoesToCompatibilityMode) {
    auto m = long_mode_with_gates(0);
    const std::uint64_t frame[] = {0x8048000, selector::user_code32, if_set, 0xffff0000,
                                   selector::user_data};
    for (unsigned i = 0; i < 5; ++i)
        m.put(SystemMachine::stack + 8 * i, frame[i]);
    EXPECT_EQ(m.run({0x48, 0xcf}), Outcome::Jump);
    EXPECT_FALSE(m.state().code64());
    EXPECT_EQ(m.state().rip, 0x8048000u);
    EXPECT_EQ(m.state().gpr[RSP], 0xffff0000u);
}

TEST(InterruptReturn, EndsTheBlockingOfNonMaskableInterrupts) {
    auto m = long_mode_with_gates(0);
    deliver_nmi(m, 0x1234);
    m.run({0x48, 0xcf});
    EXPECT_FALSE(m.state().nmi_blocked);
}

TEST(InterruptReturn, ProtectsTheFlagsOfThePrivilege) {
    auto m = long_mode_with_gates(3);
    const auto returned_flags = [&](std::uint64_t iopl, std::uint64_t popped) {
        m.state().rflags = rflags::reserved1 | iopl << 12;
        m.state().rip = SystemMachine::code;
        m.state().gpr[RSP] = SystemMachine::stack;
        const std::uint64_t frame[] = {std::uint64_t{0x401000}, selector::user_code64, popped,
                                       SystemMachine::stack, selector::user_data};
        for (unsigned i = 0; i < 5; ++i)
            m.put(SystemMachine::stack + 8 * i, frame[i]);
        EXPECT_EQ(m.run({0x48, 0xcf}), Outcome::Jump);
        return m.state().full_rflags();
    };
    constexpr std::uint64_t everything = 0x3f7fd7;
    EXPECT_EQ(returned_flags(0, everything), 0x244dd7u);  // neither IF nor IOPL nor VM, VIF, VIP
    EXPECT_EQ(returned_flags(3, everything & ~rflags::nt), 0x243fd7u);
}

TEST(InterruptReturn, ToANonCanonicalAddressFaultsBeforeAnythingChanges) {
    auto m = long_mode_with_gates(0);
    const std::uint64_t frame[] = {0x0000800000000000, selector::user_code64, if_set, 0,
                                   selector::user_data};
    for (unsigned i = 0; i < 5; ++i)
        m.put(SystemMachine::stack + 8 * i, frame[i]);
    m.run({0x48, 0xcf});
    EXPECT_EQ(m.vector(), gp);
    EXPECT_EQ(m.error_code(), 0u);
    EXPECT_EQ(m.state().cpl, 0);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
}

TEST(InterruptReturn, WithNestedTaskFaultsInIa32eMode) {
    auto m = long_mode_with_gates(0);
    m.state().rflags |= rflags::nt;
    m.run({0x48, 0xcf});
    EXPECT_EQ(m.vector(), gp);
}

TEST(ProtectedModeDelivery, SwitchesStacksAndComesBack) {
    auto m = SystemMachine::in_protected_mode(3);
    m.put(SystemMachine::idt + gp * 8,
          gate_word(SystemType::InterruptGate, selector::code32, handler));
    m.state().rflags = if_set;
    EXPECT_EQ(
        deliver_fault(m, {.vector = Vector::GeneralProtection, .error_code = 0x1234}, 0x401000),
        Delivery::Delivered);
    const std::uint64_t esp = m.state().gpr[RSP];
    EXPECT_EQ(esp, SystemMachine::ring0_stack - 24);
    const std::uint64_t frame[] = {0x1234,
                                   0x401000,
                                   selector::user_code32,
                                   if_set | rflags::rf,
                                   SystemMachine::stack,
                                   selector::user_data};
    for (unsigned i = 0; i < 6; ++i)
        EXPECT_EQ(m.get<std::uint32_t>(esp + 4 * i), frame[i]) << i;
    EXPECT_EQ(m.state().cpl, 0);
    EXPECT_EQ(m.state().segments[SS].selector, selector::data);
    m.state().gpr[RSP] += 4;
    EXPECT_EQ(m.run({0xcf}), Outcome::Jump);  // iretd
    EXPECT_EQ(m.state().cpl, 3);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack);
    EXPECT_EQ(m.state().full_rflags(), if_set);
}

TEST(ProtectedModeDelivery, ThroughA16BitGatePushesWords) {
    auto m = SystemMachine::in_protected_mode(0);
    m.put(SystemMachine::idt + 0x20 * 8,
          gate_word(SystemType::InterruptGate16, selector::code32, handler));
    EXPECT_EQ(deliver_interrupt(m, 0x20, 0x1234), Delivery::Delivered);
    EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 6);
    EXPECT_EQ(m.get<std::uint16_t>(SystemMachine::stack - 6), 0x1234);
}

TEST(ProtectedModeDelivery, LeavesVirtual8086ModeWithItsSegmentsOnTheStack) {
    auto m = SystemMachine::in_protected_mode(0);
    m.put(SystemMachine::idt + gp * 8,
          gate_word(SystemType::InterruptGate, selector::code32, handler));
    // Enter by IRET, with one selector a register.
    const std::uint32_t frame[] = {0x100,  0x1000, 0x20202, 0x800, 0x2000,
                                   0x3000, 0x4000, 0x5000,  0x6000};
    for (unsigned i = 0; i < 9; ++i)
        m.put(SystemMachine::stack + 4 * i, frame[i]);
    EXPECT_EQ(m.run({0xcf}), Outcome::Jump);
    EXPECT_EQ(m.state().cpl, 3);
    EXPECT_EQ(m.state().segments[CS].base, 0x10000u);
    EXPECT_EQ(m.state().segments[DS].base, 0x40000u);
    m.run({0xcd, 0x21});
    EXPECT_EQ(m.vector(), gp) << "IOPL is 0";
    EXPECT_EQ(deliver_fault(m, m.take_fault(), 0x100), Delivery::Delivered);
    const std::uint64_t esp = m.state().gpr[RSP];
    EXPECT_EQ(esp, SystemMachine::ring0_stack - 40);
    const std::uint32_t saved[] = {0,      0x100,  0x1000, 0x30202, 0x800,
                                   0x2000, 0x3000, 0x4000, 0x5000,  0x6000};
    for (unsigned i = 0; i < 10; ++i)
        EXPECT_EQ(m.get<std::uint32_t>(esp + 4 * i), saved[i]) << i;
    EXPECT_EQ(m.state().segments[DS].selector, 0);
    EXPECT_EQ(m.state().rflags & rflags::vm, 0u);
}

TEST(RealModeDelivery, UsesTheVectorTableAndPushesNoErrorCode) {
    auto m = SystemMachine::in_real_mode();
    m.put<std::uint32_t>(0x21 * 4, 0xf0001234);
    m.state().rflags = if_set;
    m.state().rip = 0x100;
    EXPECT_EQ(m.run({0xcd, 0x21}), Outcome::Jump);
    EXPECT_EQ(m.state().segments[CS].base, 0xf0000u);
    EXPECT_EQ(m.state().rip, 0x1234u);
    EXPECT_EQ(m.state().gpr[RSP], 0x1000u - 6);
    EXPECT_EQ(m.get<std::uint16_t>(0x20000 + 0x1000 - 6), 0x102);
    EXPECT_EQ(m.state().rflags & rflags::if_, 0u);
    EXPECT_EQ(m.run({0xcf}), Outcome::Jump);  // iret
    EXPECT_EQ(m.state().rip, 0x102u);
    EXPECT_EQ(m.state().full_rflags(), if_set);
}

TEST(RealModeDelivery, BeyondTheTableLimitShutsDown) {
    auto m = SystemMachine::in_real_mode();
    m.state().idtr.limit = 3;
    EXPECT_EQ(deliver_fault(m, {.vector = Vector::InvalidOpcode}, 0x100), Delivery::Shutdown);
}

}  // namespace
}  // namespace backplane::x86
