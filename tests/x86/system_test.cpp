// Control and debug registers, privileged instructions, time and interrupts on and off (SDM 2, SDM
// 3A 2.5 and 9.8.5).
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;
namespace selector = testing::selector;

constexpr int ud = 6, gp = 13;
using Bytes = std::initializer_list<unsigned char>;

constexpr Bytes mov_cr0_rax = {0x0f, 0x22, 0xc0}, mov_cr3_rax = {0x0f, 0x22, 0xd8},
                mov_cr4_rax = {0x0f, 0x22, 0xe0}, mov_cr8_rax = {0x44, 0x0f, 0x22, 0xc0},
                mov_rax_cr8 = {0x44, 0x0f, 0x20, 0xc0};

int run_with_rax(SystemMachine& m, std::uint64_t rax, Bytes bytes) {
    m.state().gpr[RAX] = rax;
    m.run(bytes);
    return m.vector();
}

TEST(PrivilegedInstructions, FaultAtPrivilege3) {
    const Bytes instructions[] = {mov_cr0_rax,
                                  {0x0f, 0x20, 0xc0},  // mov rax, cr0
                                  mov_cr3_rax,
                                  mov_cr4_rax,
                                  mov_cr8_rax,
                                  {0x0f, 0x23, 0xf8},  // mov dr7, rax
                                  {0x0f, 0x21, 0xf8},  // mov rax, dr7
                                  {0x0f, 0x01, 0xf0},  // lmsw ax
                                  {0x0f, 0x06},        // clts
                                  {0x0f, 0x08},        // invd
                                  {0x0f, 0x09},        // wbinvd
                                  {0x0f, 0x01, 0x38},  // invlpg [rax]
                                  {0xf4},              // hlt
                                  {0x0f, 0x32},        // rdmsr
                                  {0x0f, 0x30},        // wrmsr
                                  {0x0f, 0x33},        // rdpmc
                                  {0x48, 0x0f, 0x07},  // sysretq
                                  {0x0f, 0x01, 0xf8},  // swapgs
                                  {0x0f, 0x00, 0xd0},  // lldt ax
                                  {0x0f, 0x00, 0xd8},  // ltr ax
                                  {0xfa},              // cli
                                  {0xfb}};             // sti
    for (const Bytes& bytes : instructions) {
        auto m = SystemMachine::in_long_mode(3);
        EXPECT_EQ(m.run(bytes), Outcome::Fault);
        EXPECT_EQ(m.vector(), gp) << std::hex << +*bytes.begin() << ' ' << +*(bytes.end() - 1);
        EXPECT_EQ(m.error_code(), 0u);
    }
}

TEST(ControlRegister0, RefusesInconsistentBits) {
    auto m = SystemMachine::in_protected_mode(0);
    m.state().cr0 = cr0::pe | cr0::et;
    const auto set = [&](std::uint64_t value) { return run_with_rax(m, value, mov_cr0_rax); };
    EXPECT_EQ(set(cr0::pg), gp) << "paging without protection";
    EXPECT_EQ(set(cr0::pe | cr0::nw), gp) << "write-through off with caches on";
    EXPECT_EQ(m.state().cr0, cr0::pe | cr0::et);
    EXPECT_EQ(set(cr0::pe | cr0::nw | cr0::cd), -1);
    EXPECT_EQ(set(0x0ff0ffc1), -1) << "undefined bits are ignored";
    EXPECT_EQ(m.state().cr0, (0x0ff0ffc1 & cr0::defined) | cr0::et);

    auto wide = SystemMachine::in_long_mode(0);
    EXPECT_EQ(run_with_rax(wide, wide.state().cr0 | 1ull << 32, mov_cr0_rax), gp);
}

// SDM 3A 9.8.5: the way a kernel's decompressor takes.
TEST(ControlRegister0, ActivatesIa32eModeWithPaging) {
    auto m = SystemMachine::in_protected_mode(0);
    CpuState& s = m.state();
    s.gpr[RCX] = msr::efer;
    s.gpr[RDX] = 0;
    EXPECT_EQ(run_with_rax(m, efer::lme, {0x0f, 0x30}), -1);
    EXPECT_FALSE(s.long_mode());
    EXPECT_EQ(run_with_rax(m, cr0::pe | cr0::pg, mov_cr0_rax), gp) << "needs CR4.PAE";
    EXPECT_EQ(run_with_rax(m, cr4::pae, mov_cr4_rax), -1);
    EXPECT_EQ(run_with_rax(m, cr0::pe | cr0::pg, mov_cr0_rax), -1);
    EXPECT_TRUE(s.long_mode());
    EXPECT_FALSE(s.code64()) << "compatibility mode until CS is loaded";
    EXPECT_EQ(run_with_rax(m, 0, mov_cr4_rax), gp) << "PAE stays while IA-32e mode is active";
    EXPECT_EQ(m.run({0xea, 0x00, 0x90, 0x00, 0x00, selector::code64, 0x00}), Outcome::Jump);
    EXPECT_TRUE(s.code64());
    EXPECT_EQ(run_with_rax(m, cr0::pe, mov_cr0_rax), gp) << "paging stays on in 64-bit code";

    // And back, through compatibility mode.
    m.load_flat(CS, selector::code32);
    EXPECT_EQ(run_with_rax(m, cr0::pe, mov_cr0_rax), -1);
    EXPECT_FALSE(s.long_mode());
    EXPECT_EQ(s.efer & efer::lme, efer::lme);
    EXPECT_EQ(m.fake.calls.back(), "flush");
}

TEST(ControlRegister0, NeedsA32BitTaskAnd32BitCodeToActivateIa32eMode) {
    auto m = SystemMachine::in_protected_mode(0);
    m.state().efer = efer::lme;
    m.state().cr4 = cr4::pae;
    m.state().tr.attributes = 3 | attribute::present;
    EXPECT_EQ(run_with_rax(m, cr0::pe | cr0::pg, mov_cr0_rax), gp);
    m.state().tr.attributes = 11 | attribute::present;
    m.state().segments[CS].attributes |= attribute::long_code;
    EXPECT_EQ(run_with_rax(m, cr0::pe | cr0::pg, mov_cr0_rax), gp);
}

TEST(ControlRegister0, ChecksThePageDirectoryPointersOfPae) {
    auto m = SystemMachine::in_protected_mode(0);
    m.state().cr4 = cr4::pae;
    m.fake.pointers_valid = false;
    EXPECT_EQ(run_with_rax(m, cr0::pe | cr0::pg, mov_cr0_rax), gp);
    EXPECT_FALSE(m.state().paging());
}

TEST(ControlRegister3, FlushesNonGlobalTranslationsAndHasNoBitsBeyondPhysicalAddresses) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(run_with_rax(m, 0x1234000, mov_cr3_rax), -1);
    EXPECT_EQ(m.state().cr3, 0x1234000u);
    EXPECT_EQ(m.fake.calls, std::vector<std::string>{"flush non-global"});
    EXPECT_EQ(run_with_rax(m, 1ull << 40, mov_cr3_rax), gp);
    EXPECT_EQ(run_with_rax(m, 1ull << 63, mov_cr3_rax), gp);
}

TEST(ControlRegister4, HasTheBitsOfTheModelsFeatures) {
    auto m = SystemMachine::in_long_mode(0);
    const std::uint64_t linux_sets = cr4::tsd | cr4::de | cr4::pse | cr4::pae | cr4::mce |
                                     cr4::pge | cr4::pce | cr4::osfxsr | cr4::osxmmexcpt;
    EXPECT_EQ(run_with_rax(m, linux_sets, mov_cr4_rax), -1);
    for (unsigned bit = 0; bit < 64; ++bit) {
        const std::uint64_t value = cr4::pae | 1ull << bit;
        EXPECT_EQ(run_with_rax(m, value, mov_cr4_rax), (linux_sets >> bit) & 1 ? -1 : gp) << bit;
    }
}

TEST(ControlRegister8, IsTheTaskPriority) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(run_with_rax(m, 9, mov_cr8_rax), -1);
    EXPECT_EQ(m.fake.apic.priority, 9);
    EXPECT_EQ(run_with_rax(m, 0, mov_rax_cr8), -1);
    EXPECT_EQ(m.state().gpr[RAX], 9u);
    EXPECT_EQ(run_with_rax(m, 16, mov_cr8_rax), gp);
}

TEST(DebugRegisters, HaveFixedBitsAndAliases) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(run_with_rax(m, 0, {0x0f, 0x23, 0xf8}), -1);  // mov dr7, rax
    EXPECT_EQ(m.state().dr[7], 0x400u);
    EXPECT_EQ(run_with_rax(m, 0xffffffff, {0x0f, 0x23, 0xf0}), -1);  // mov dr6, rax
    EXPECT_EQ(m.state().dr[6], 0xffffefffu);
    EXPECT_EQ(run_with_rax(m, 1ull << 32, {0x0f, 0x23, 0xf8}), gp);
    EXPECT_EQ(run_with_rax(m, 0, {0x0f, 0x21, 0xe0}), -1);  // mov rax, dr4
    EXPECT_EQ(m.state().gpr[RAX], 0xffffefffu);
    m.state().cr4 |= cr4::de;
    EXPECT_EQ(run_with_rax(m, 0, {0x0f, 0x21, 0xe0}), ud);
}

TEST(MachineStatusWord, CannotLeaveProtectedMode) {
    auto m = SystemMachine::in_protected_mode(0);
    EXPECT_EQ(run_with_rax(m, 0xe, {0x0f, 0x01, 0xf0}), -1);  // lmsw ax
    EXPECT_EQ(m.state().cr0 & 0xf, 0xfu);
    EXPECT_EQ(run_with_rax(m, 0, {0x0f, 0x01, 0xe0}), -1);  // smsw eax
    EXPECT_EQ(m.state().gpr[RAX], m.state().cr0);
}

TEST(InvalidatePage, NamesTheLinearAddress) {
    auto m = SystemMachine::in_long_mode(0);
    m.run({0x0f, 0x01, 0x3c, 0x25, 0x00, 0x50, 0x00, 0x00});  // invlpg [0x5000]
    EXPECT_EQ(m.fake.calls, std::vector<std::string>{"flush page 20480"});
}

TEST(InvalidatePage, ChecksNoLimitAndAddsTheBaseIn32BitCode) {
    SystemMachine m = SystemMachine::in_protected_mode(0);
    m.state().segments[DS].limit = 0xfff;
    m.state().segments[DS].base = 0xffff'f000;
    EXPECT_EQ(run_with_rax(m, 0x6000, {0x0f, 0x01, 0x38}), -1);  // invlpg [eax]
    EXPECT_EQ(m.fake.calls.back(), "flush page " + std::to_string(0x5000));
}

TEST(InterruptFlag, ShadowFollowsOnlyARealChange) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(m.run({0xfb}), Outcome::Leave);
    EXPECT_TRUE(m.state().interrupt_shadow);
    m.state().interrupt_shadow = false;
    EXPECT_EQ(m.run({0xfb}), Outcome::Next);
    EXPECT_FALSE(m.state().interrupt_shadow);
    m.run({0xfa});
    EXPECT_EQ(m.state().rflags & rflags::if_, 0u);
}

TEST(InterruptFlag, IsGovernedByIopl) {
    auto m = SystemMachine::in_long_mode(3);
    m.state().rflags |= rflags::iopl;
    EXPECT_EQ(m.run({0xfb}), Outcome::Leave);
    EXPECT_EQ(m.run({0xfa}), Outcome::Next);
}

TEST(Halt, SetsTheState) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(m.run({0xf4}), Outcome::Leave);
    EXPECT_TRUE(m.state().halted);
}

TEST(TimeStampCounter, AddsTheOffsetAndObeysTsd) {
    auto m = SystemMachine::in_long_mode(3);
    m.fake.ticks = 0x1'0000'0005;
    m.state().tsc_offset = 0x10;
    m.state().tsc_aux = 7;
    EXPECT_EQ(m.run({0x0f, 0x31}), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RAX], 0x15u);
    EXPECT_EQ(m.state().gpr[RDX], 1u);
    EXPECT_EQ(m.run({0x0f, 0x01, 0xf9}), Outcome::Next);
    EXPECT_EQ(m.state().gpr[RCX], 7u);
    m.state().cr4 |= cr4::tsd;
    m.run({0x0f, 0x31});
    EXPECT_EQ(m.vector(), gp);
    m.fake.cpu_model.features.remove(Feature::Rdtscp);
    m.run({0x0f, 0x01, 0xf9});
    EXPECT_EQ(m.vector(), ud);
}

TEST(UndefinedInstructions, RaiseInvalidOpcode) {
    auto m = SystemMachine::in_long_mode(0);
    for (const Bytes& bytes :
         {Bytes{0x0f, 0x0b}, Bytes{0x0f, 0xb9, 0xc0}, Bytes{0x0f, 0xff, 0xc0},
          Bytes{0x0f, 0x01, 0xca}, Bytes{0x0f, 0x01, 0xd0}, Bytes{0x0f, 0x01, 0xc8},
          Bytes{0x8e, 0xc8}, Bytes{0x0f, 0x22, 0xc8}}) {
        m.run(bytes);
        EXPECT_EQ(m.vector(), ud);
    }
}

}  // namespace
}  // namespace backplane::x86
