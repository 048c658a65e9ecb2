// The table of model-specific registers through RDMSR and WRMSR.
#include "support/system_machine.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;

std::optional<std::uint64_t> read(SystemMachine& m, std::uint32_t index) {
    m.state().gpr[RCX] = 0xffffffff00000000 | index;
    if (m.run({0x0f, 0x32}) == Outcome::Fault) return {};
    return m.state().gpr[RDX] << 32 | m.state().gpr[RAX];
}

bool write(SystemMachine& m, std::uint32_t index, std::uint64_t value) {
    m.state().gpr[RCX] = index;
    m.state().gpr[RAX] = 0xdeadbeef00000000 | static_cast<std::uint32_t>(value);
    m.state().gpr[RDX] = value >> 32;
    return m.run({0x0f, 0x30}) != Outcome::Fault;
}

TEST(Msr, EveryEntryReadsItsResetValue) {
    auto m = SystemMachine::in_long_mode(0);
    for (const MsrDescription& entry : MsrBank::table())
        if (!entry.read && !entry.place) EXPECT_EQ(read(m, entry.index), entry.reset) << entry.name;
}

TEST(Msr, UnknownOnesFaultAndAreReported) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(read(m, 0x12345678), std::nullopt);
    EXPECT_EQ(m.vector(), 13);
    EXPECT_FALSE(write(m, 0x12345679, 0));
    EXPECT_EQ(m.fake.unknown, (std::vector<std::uint64_t>{0x12345678, 0x12345679}));
}

TEST(Msr, AddressesMustBeCanonical) {
    auto m = SystemMachine::in_long_mode(0);
    for (const std::uint32_t index : {msr::lstar, msr::cstar, msr::fs_base, msr::gs_base,
                                      msr::kernel_gs_base, msr::sysenter_esp, msr::sysenter_eip}) {
        EXPECT_TRUE(write(m, index, 0xffff800000000000)) << index;
        EXPECT_FALSE(write(m, index, 0x0000800000000000)) << index;
        EXPECT_EQ(read(m, index), 0xffff800000000000u) << index;
    }
    EXPECT_EQ(m.state().segments[FS].base, 0xffff800000000000u);
}

TEST(Msr, EferKeepsItsReservedBitsAndLongModeActive) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_TRUE(write(m, msr::efer, efer::sce | efer::lme | efer::nxe));
    EXPECT_EQ(read(m, msr::efer), efer::sce | efer::lme | efer::lma | efer::nxe);
    EXPECT_FALSE(write(m, msr::efer, efer::sce)) << "LME under paging";
    for (const unsigned bit : {1u, 9u, 12u, 14u, 63u})
        EXPECT_FALSE(write(m, msr::efer, efer::lme | 1ull << bit)) << bit;
    m.fake.cpu_model.features.remove(Feature::Nx);
    EXPECT_FALSE(write(m, msr::efer, efer::lme | efer::nxe));
}

TEST(Msr, PatAndMtrrsRefuseUnknownMemoryTypes) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_TRUE(write(m, msr::pat, 0x0007010600070106));
    EXPECT_FALSE(write(m, msr::pat, 2));
    EXPECT_FALSE(write(m, msr::pat, 8));
    EXPECT_TRUE(write(m, msr::mtrr_default_type, 0xc06));
    EXPECT_FALSE(write(m, msr::mtrr_default_type, 0xc07));
    EXPECT_FALSE(write(m, msr::mtrr_default_type, 0x1c06));
    EXPECT_TRUE(write(m, 0x250, 0x0606060606060606));
    EXPECT_FALSE(write(m, 0x250, 0x0606060606060602));
    EXPECT_TRUE(write(m, 0x200, 0xffc0000000 | 6));
    EXPECT_FALSE(write(m, 0x200, 1ull << 40));
    EXPECT_TRUE(write(m, 0x201, 0xffc0000800));
    EXPECT_FALSE(write(m, 0x201, 0x400));
    EXPECT_FALSE(write(m, msr::mtrr_cap, 0x508));
}

TEST(Msr, TheTimeStampCounterCanBeSet) {
    auto m = SystemMachine::in_long_mode(0);
    m.fake.ticks = 1000;
    EXPECT_TRUE(write(m, msr::tsc, 5));
    m.fake.ticks = 1010;
    EXPECT_EQ(read(m, msr::tsc), 15u);
}

TEST(Msr, ApicBaseBelongsToTheApic) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(read(m, msr::apic_base), 0xfee00900u);
    EXPECT_FALSE(write(m, msr::apic_base, 1));
    m.fake.has_apic = false;
    EXPECT_EQ(read(m, msr::apic_base), std::nullopt);
}

TEST(Msr, ExistOnlyWithTheirFeatureAndVendor) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_TRUE(read(m, 0xc0010015).has_value());
    m.fake.cpu_model.vendor = Vendor::Intel;
    EXPECT_FALSE(read(m, 0xc0010015).has_value());
    m.fake.cpu_model.features.remove(Feature::Mtrr);
    EXPECT_FALSE(read(m, msr::mtrr_cap).has_value());
}

TEST(Msr, HandedOverValuesAreKept) {
    auto m = SystemMachine::in_long_mode(0);
    m.fake.bank.set(msr::mtrr_default_type, 0xc06);
    EXPECT_EQ(read(m, msr::mtrr_default_type), 0xc06u);
    m.fake.bank.reset();
    EXPECT_EQ(read(m, msr::mtrr_default_type), 0u);
}

}  // namespace
}  // namespace backplane::x86
