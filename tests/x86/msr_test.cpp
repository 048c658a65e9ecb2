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
    for (const MsrDescription& entry : MsrBank::table()) {
        if (entry.read || entry.place) continue;
        m.fake.cpu_model.vendor = entry.vendor.value_or(Vendor::Amd);
        EXPECT_EQ(read(m, entry.index), entry.reset) << entry.name;
        if (!entry.vendor) continue;
        m.fake.cpu_model.vendor = *entry.vendor == Vendor::Amd ? Vendor::Intel : Vendor::Amd;
        EXPECT_EQ(read(m, entry.index), std::nullopt) << entry.name;
    }
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

// SDM 3B 17.17.3: a write of either register moves the other by as much.
TEST(Msr, TheTimeStampCounterAndItsAdjustmentMoveTogether) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(read(m, msr::tsc_adjust), std::nullopt) << "not a feature of this model";
    m.fake.cpu_model.features.add(Feature::TscAdjust);
    m.fake.ticks = 1000;
    EXPECT_EQ(read(m, msr::tsc_adjust), 0u);
    EXPECT_TRUE(write(m, msr::tsc, 1500));
    EXPECT_EQ(read(m, msr::tsc_adjust), 500u);
    EXPECT_TRUE(write(m, msr::tsc_adjust, 200));
    EXPECT_EQ(read(m, msr::tsc), 1200u);
    EXPECT_TRUE(write(m, msr::tsc, 900));
    EXPECT_EQ(read(m, msr::tsc_adjust), ~0ull - 99);
}

TEST(Msr, MachineCheckBanksAreThereAndCanBeCleared) {
    auto m = SystemMachine::in_long_mode(0);
    const auto capabilities = read(m, msr::mcg_cap);
    ASSERT_TRUE(capabilities);
    EXPECT_FALSE(write(m, msr::mcg_cap, *capabilities));
    const auto banks = static_cast<unsigned>(*capabilities & 0xff);
    EXPECT_EQ(banks, msr::machine_check_banks);
    for (unsigned bank = 0; bank < banks; ++bank) {
        const std::uint32_t control = msr::mc0_ctl + bank * 4;
        EXPECT_TRUE(write(m, control, ~0ull));
        EXPECT_EQ(read(m, control), ~0ull);
        EXPECT_TRUE(write(m, control + 1, 0));
        EXPECT_FALSE(write(m, control + 1, 1)) << "a status can only be cleared";
        EXPECT_EQ(read(m, control + 1), 0u);
        EXPECT_TRUE(read(m, control + 2));
        EXPECT_TRUE(read(m, control + 3));
    }
    EXPECT_EQ(read(m, msr::mc0_ctl + banks * 4), std::nullopt);
    EXPECT_FALSE(write(m, msr::mcg_status, 8));
}

TEST(Msr, TheMicrocodeRevisionIsWhereTheVendorHasIt) {
    auto m = SystemMachine::in_long_mode(0);
    EXPECT_EQ(*read(m, 0x8b) >> 32, 0u);
    m.fake.cpu_model.vendor = Vendor::Intel;
    EXPECT_TRUE(write(m, 0x8b, 0));
    EXPECT_EQ(static_cast<std::uint32_t>(*read(m, 0x8b)), 0u);
    EXPECT_NE(*read(m, 0x8b) >> 32, 0u);
}

TEST(Msr, OfIntelAreReadOnlyWhereNothingCanBeChanged) {
    auto m = SystemMachine::in_long_mode(0);
    m.fake.cpu_model.vendor = Vendor::Intel;
    constexpr std::uint32_t platform_id = 0x17, feature_control = 0x3a, misc_enable = 0x1a0;
    EXPECT_FALSE(write(m, platform_id, 0));
    EXPECT_EQ(read(m, feature_control), 1u) << "locked";
    EXPECT_FALSE(write(m, feature_control, 5));
    EXPECT_TRUE(write(m, misc_enable, 0x400000));
    EXPECT_EQ(read(m, misc_enable), 0x1800u) << "fast strings off; limiting CPUID is ignored";
}

TEST(Msr, EferExistsForNoExecuteAlone) {
    auto m = SystemMachine::in_protected_mode(0);
    m.fake.cpu_model = *make_cpu_model("x86-64-v1,-lm,-syscall");
    EXPECT_TRUE(write(m, msr::efer, efer::nxe));
    EXPECT_FALSE(write(m, msr::efer, efer::lme));
    m.fake.cpu_model.features.remove(Feature::Nx);
    EXPECT_EQ(read(m, msr::efer), std::nullopt);
}

TEST(Msr, WhatKernelsTryInVainIsNotReported) {
    auto m = SystemMachine::in_long_mode(0);
    for (const std::uint32_t index : {0xc0010004u, 0x3au, 0xc1u, 0xe7u, 0xceu, 0x140u})
        EXPECT_EQ(read(m, index), std::nullopt);
    EXPECT_TRUE(m.fake.unknown.empty());
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
