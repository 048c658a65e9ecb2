// SYSCALL, SYSRET, SYSENTER, SYSEXIT and SWAPGS (APM 3, SDM 2).
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;

constexpr int ud = 6, gp = 13;
constexpr std::initializer_list<unsigned char> syscall = {0x0f, 0x05}, sysret = {0x0f, 0x07},
                                               sysretq = {0x48, 0x0f, 0x07},
                                               sysenter = {0x0f, 0x34}, sysexit = {0x0f, 0x35},
                                               sysexitq = {0x48, 0x0f, 0x35},
                                               swapgs = {0x0f, 0x01, 0xf8};

SystemMachine prepared(unsigned cpl) {
    auto m = SystemMachine::in_long_mode(cpl);
    CpuState& s = m.state();
    s.star = 0x0023'0010'0000'0000;
    s.lstar = 0xffffffff81000000;
    s.cstar = 0xffffffff82000000;
    s.sfmask = 0x47700;
    s.rflags = rflags::reserved1 | rflags::if_ | rflags::ac;
    return m;
}

TEST(SystemCall, EntersTheKernelWithFixedSegments) {
    auto m = prepared(3);
    m.state().flags.set_sub<std::uint8_t>(1, 1);
    const std::uint64_t flags = m.state().full_rflags();
    EXPECT_EQ(m.run(syscall), Outcome::Jump);
    const CpuState& s = m.state();
    EXPECT_EQ(s.rip, s.lstar);
    EXPECT_EQ(s.gpr[RCX], SystemMachine::code + 2);
    EXPECT_EQ(s.gpr[R11], flags);
    EXPECT_EQ(s.full_rflags(), flags & ~std::uint64_t{0x47700});
    EXPECT_EQ(s.cpl, 0);
    EXPECT_EQ(s.segments[CS].selector, 0x10);
    EXPECT_EQ(s.segments[CS].attributes, 0xa09b);
    EXPECT_EQ(s.segments[SS].selector, 0x18);
    EXPECT_EQ(s.segments[SS].attributes, 0xc093);
    EXPECT_EQ(s.segments[SS].limit, 0xffffffffu);
    EXPECT_EQ(s.gpr[RSP], SystemMachine::stack) << "the stack pointer is the kernel's business";
}

TEST(SystemCall, FromCompatibilityModeUsesCstarOnAmdOnly) {
    auto m = prepared(3);
    m.load_flat(CS, testing::selector::user_code32);
    EXPECT_EQ(m.run(syscall), Outcome::Jump);
    EXPECT_EQ(m.state().rip, m.state().cstar);
    EXPECT_TRUE(m.state().code64());
    auto intel = prepared(3);
    intel.fake.cpu_model.vendor = Vendor::Intel;
    intel.load_flat(CS, testing::selector::user_code32);
    intel.run(syscall);
    EXPECT_EQ(intel.vector(), ud);
}

TEST(SystemCall, IsUndefinedUntilEnabled) {
    auto m = prepared(3);
    m.state().efer &= ~efer::sce;
    m.run(syscall);
    EXPECT_EQ(m.vector(), ud);
}

TEST(SystemReturn, GoesBackTo64BitCode) {
    auto m = prepared(0);
    m.state().gpr[RCX] = 0x401000;
    m.state().gpr[R11] = 0xffffffff & ~rflags::tf;
    EXPECT_EQ(m.run(sysretq), Outcome::Jump);
    const CpuState& s = m.state();
    EXPECT_EQ(s.rip, 0x401000u);
    EXPECT_EQ(s.cpl, 3);
    EXPECT_EQ(s.segments[CS].selector, 0x33);
    EXPECT_EQ(s.segments[CS].attributes, 0xa0fb);
    EXPECT_EQ(s.segments[SS].selector, 0x2b);
    EXPECT_EQ(s.segments[SS].attributes, 0xc0f3);
    EXPECT_EQ(s.full_rflags(), 0x3c7ed7u) << "neither RF nor VM";
}

TEST(SystemReturn, GoesBackToCompatibilityMode) {
    auto m = prepared(0);
    m.state().gpr[RCX] = 0x1'0804'8000;
    EXPECT_EQ(m.run(sysret), Outcome::Jump);
    EXPECT_EQ(m.state().rip, 0x08048000u);
    EXPECT_EQ(m.state().segments[CS].selector, 0x23);
    EXPECT_FALSE(m.state().code64());
}

TEST(SystemReturn, ToANonCanonicalAddressFaultsInTheKernelOnIntelOnly) {
    auto amd = prepared(0);
    amd.state().gpr[RCX] = 0x0000800000000000;
    EXPECT_EQ(amd.run(sysretq), Outcome::Jump);
    EXPECT_EQ(amd.state().cpl, 3);
    auto intel = prepared(0);
    intel.fake.cpu_model.vendor = Vendor::Intel;
    intel.state().gpr[RCX] = 0x0000800000000000;
    intel.run(sysretq);
    EXPECT_EQ(intel.vector(), gp);
    EXPECT_EQ(intel.state().cpl, 0);
}

TEST(SystemEnter, IsForLegacyModeOnAmd) {
    auto amd = prepared(3);
    amd.state().sysenter_cs = 0x10;
    amd.run(sysenter);
    EXPECT_EQ(amd.vector(), ud);

    auto m = SystemMachine::in_protected_mode(3);
    m.state().sysenter_cs = 0x10;
    m.state().sysenter_esp = 0x7000;
    m.state().sysenter_eip = 0x9000;
    m.state().rflags |= rflags::if_;
    EXPECT_EQ(m.run(sysenter), Outcome::Jump);
    EXPECT_EQ(m.state().rip, 0x9000u);
    EXPECT_EQ(m.state().gpr[RSP], 0x7000u);
    EXPECT_EQ(m.state().cpl, 0);
    EXPECT_EQ(m.state().segments[SS].selector, 0x18);
    EXPECT_EQ(m.state().rflags & rflags::if_, 0u);
    m.state().gpr[RDX] = 0x401000;
    m.state().gpr[RCX] = 0x7ff000;
    EXPECT_EQ(m.run(sysexit), Outcome::Jump);
    EXPECT_EQ(m.state().segments[CS].selector, 0x23);
    EXPECT_EQ(m.state().segments[SS].selector, 0x2b);
    EXPECT_EQ(m.state().rip, 0x401000u);
}

TEST(SystemEnter, GoesBothWaysIn64BitModeOnIntel) {
    auto m = prepared(3);
    m.fake.cpu_model.vendor = Vendor::Intel;
    m.state().sysenter_cs = 0x10;
    m.state().sysenter_eip = 0xffffffff81000000;
    EXPECT_EQ(m.run(sysenter), Outcome::Jump);
    EXPECT_EQ(m.state().rip, 0xffffffff81000000u);
    EXPECT_TRUE(m.state().code64());
    m.state().gpr[RDX] = 0x401000;
    EXPECT_EQ(m.run(sysexitq), Outcome::Jump);
    EXPECT_EQ(m.state().segments[CS].selector, 0x33);
}

TEST(SystemEnter, WithoutACodeSegmentFaults) {
    auto m = SystemMachine::in_protected_mode(3);
    m.run(sysenter);
    EXPECT_EQ(m.vector(), gp);
}

TEST(SwapGs, ExchangesTheBases) {
    auto m = prepared(0);
    m.state().segments[GS].base = 1;
    m.state().kernel_gs_base = 2;
    EXPECT_EQ(m.run(swapgs), Outcome::Next);
    EXPECT_EQ(m.state().segments[GS].base, 2u);
    EXPECT_EQ(m.state().kernel_gs_base, 1u);
}

}  // namespace
}  // namespace backplane::x86
