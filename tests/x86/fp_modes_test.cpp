// What the comparison with the processor cannot show: other processor modes, faults in the middle,
// shared mnemonics.
#include "x86/fp_availability.h"
#include "x86/fp_comparison.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

constexpr std::uint64_t base = 0x10000;

struct Bench {
    explicit Bench(CodeSize code_size) : size(code_size) {
        m.services = &services;
        CpuState& state = m.state();
        state.cr0 = 1 | fp_control::cr0_ne;
        state.cr4 = fp_control::cr4_osfxsr | fp_control::cr4_osxmmexcpt;
        for (SegmentRegister& segment : state.segments)
            segment = {0, 0xffffffff, 0x10, 0xc093};
        if (size != CodeSize::Bits64) return;
        state.efer = 1u << 10;
        state.segments[CS].attributes = 0xa09b;
    }

    std::optional<Outcome> run(const Code& code) {
        Instruction instruction;
        if (Decoder{}.decode(std::as_bytes(std::span{code}), size, 0x12345678, instruction) !=
            DecodeStatus::Complete)
            return {};
        enter_guest_fp(m.state());
        const auto outcome = execute(m, floating_point_forms(), instruction);
        leave_guest_fp(m.state());
        return outcome;
    }

    template <class T>
    T at(std::uint64_t offset) {
        return *m.load<T>(base + offset);
    }

    CodeSize size;
    std::vector<std::byte> memory = std::vector<std::byte>(8192);
    FakeServices services;
    SemanticsMachine m{base, memory};
};

TEST(X87Environment, HasAProtectedLayout) {
    Bench bench(CodeSize::Bits32);
    CpuState& state = bench.m.state();
    state.gpr[RSI] = base;
    state.x87.last_opcode = 0x7a5;
    state.x87.last_instruction = 0x12345678;
    state.x87.last_data = 0x9abcdef0;
    ASSERT_EQ(bench.run({0xd9, 0x36}), Outcome::Next);
    EXPECT_EQ(bench.at<std::uint32_t>(0), 0xffff037f);
    EXPECT_EQ(bench.at<std::uint32_t>(8), 0xffffffff);
    EXPECT_EQ(bench.at<std::uint32_t>(12), 0x12345678u);
    EXPECT_EQ(bench.at<std::uint32_t>(16), 0x07a50000u);
    EXPECT_EQ(bench.at<std::uint32_t>(20), 0x9abcdef0u);
    ASSERT_EQ(bench.run({0x66, 0xd9, 0x36}), Outcome::Next);
    EXPECT_EQ(bench.at<std::uint16_t>(0), 0x037f);
    EXPECT_EQ(bench.at<std::uint16_t>(6), 0x5678);
    EXPECT_EQ(bench.at<std::uint16_t>(10), 0xdef0);
}

TEST(X87Environment, HasARealModeLayoutThatLoadsBack) {
    Bench bench(CodeSize::Bits16);
    CpuState& state = bench.m.state();
    state.cr0 &= ~std::uint64_t{1};
    state.gpr[RSI] = 0x1000;
    for (SegmentRegister& segment : state.segments)
        segment = {base, 0xffff, 0x1000, 0x93};
    state.x87.last_opcode = 0x7a5;
    state.x87.last_instruction = 0x1fff5;
    state.x87.last_data = 0xa1234;
    ASSERT_EQ(bench.run({0xd9, 0x34}), Outcome::Next);  // [si]
    EXPECT_EQ(bench.at<std::uint16_t>(0x1006), 0xfff5);
    EXPECT_EQ(bench.at<std::uint16_t>(0x1008), 0x17a5);
    EXPECT_EQ(bench.at<std::uint16_t>(0x100a), 0x1234);
    EXPECT_EQ(bench.at<std::uint16_t>(0x100c), 0xa000);
    ASSERT_EQ(bench.run({0xdb, 0xe3}), Outcome::Next);
    EXPECT_EQ(state.x87.last_data, 0u);
    ASSERT_EQ(bench.run({0xd9, 0x24}), Outcome::Next);
    EXPECT_EQ(state.x87.last_opcode, 0x7a5);
    EXPECT_EQ(state.x87.last_instruction, 0x1fff5u);
    EXPECT_EQ(state.x87.last_data, 0xa1234u);
}

TEST(X87, RecordsTheLastInstructionAndItsOffsetInTheSegment) {
    Bench bench(CodeSize::Bits32);
    CpuState& state = bench.m.state();
    state.segments[FS].base = base;
    state.gpr[RSI] = 0x40;
    ASSERT_EQ(bench.run({0x64, 0xdb, 0x06}), Outcome::Next);  // FILD dword FS:[ESI]
    EXPECT_EQ(state.x87.last_instruction, 0x12345678u);
    EXPECT_EQ(state.x87.last_data, 0x40u);
    EXPECT_EQ(state.x87.last_opcode, 0x306);
}

TEST(X87, StoreThatFaultsLeavesTheStackAndTheFlagsAlone) {
    Bench bench(CodeSize::Bits64);
    CpuState& state = bench.m.state();
    ASSERT_EQ(bench.run({0xd9, 0xeb}), Outcome::Next);  // FLDPI
    const std::uint16_t status = state.x87.status;
    state.gpr[RSI] = base;
    bench.m.read_only.insert(base >> 12);
    for (const Code& code : {Code{0xd9, 0x1e}, Code{0xdd, 0x1e}, Code{0xdb, 0x3e}, Code{0xdf, 0x3e},
                             Code{0xdf, 0x36}}) {
        EXPECT_EQ(bench.run(code), Outcome::Fault);
        EXPECT_EQ(bench.m.raised->vector, Vector::PageFault);
        EXPECT_EQ(state.x87.status, status);
        EXPECT_EQ(state.x87.valid, 0x80);
    }
}

TEST(Fxsave, SavesEightVectorRegistersOutside64BitMode) {
    Bench bench(CodeSize::Bits32);
    CpuState& state = bench.m.state();
    state.gpr[RSI] = base;
    for (auto& value : state.vectors)
        value.bytes.fill(0x5a);
    ASSERT_EQ(bench.run({0x0f, 0xae, 0x06}), Outcome::Next);
    EXPECT_EQ(bench.at<std::uint64_t>(160 + 7 * 16), 0x5a5a5a5a5a5a5a5a);
    EXPECT_EQ(bench.at<std::uint64_t>(160 + 8 * 16), 0u);
    for (auto& value : state.vectors)
        value.bytes.fill(0);
    ASSERT_EQ(bench.run({0x0f, 0xae, 0x0e}), Outcome::Next);
    EXPECT_EQ(state.vectors[7].bytes[0], 0x5a);
    EXPECT_EQ(state.vectors[8].bytes[0], 0);
    EXPECT_EQ(state.vectors[7].bytes[16], 0) << "the upper half of YMM is not part of the image";
}

TEST(Fxsave, RestoresNothingWhenThePageBehindIsAbsent) {
    Bench bench(CodeSize::Bits64);
    CpuState& state = bench.m.state();
    state.gpr[RSI] = base + 4096 - 256;
    bench.m.absent.insert((base >> 12) + 1);
    const std::uint16_t control = state.x87.control;
    ASSERT_EQ(bench.run({0x0f, 0xae, 0x0e}), Outcome::Fault);
    EXPECT_EQ(bench.m.raised->vector, Vector::PageFault);
    EXPECT_EQ(state.x87.control, control);
    EXPECT_EQ(state.mxcsr, mxcsr::power_on);
}

TEST(MaskedMove, WritesNothingWhenTheSecondPageFaults) {
    Bench bench(CodeSize::Bits64);
    CpuState& state = bench.m.state();
    state.gpr[RDI] = base + 4096 - 8;
    bench.m.absent.insert((base >> 12) + 1);
    state.vectors[0].bytes.fill(0x77);
    state.vectors[1].bytes.fill(0x80);
    ASSERT_EQ(bench.run({0x66, 0x0f, 0xf7, 0xc1}), Outcome::Fault);
    EXPECT_EQ(bench.at<std::uint64_t>(4096 - 8), 0u);
    std::fill(state.vectors[1].bytes.begin() + 8, state.vectors[1].bytes.end(), std::uint8_t{0});
    ASSERT_EQ(bench.run({0x66, 0x0f, 0xf7, 0xc1}), Outcome::Next)
        << "bytes that are not selected are not touched";
    EXPECT_EQ(bench.at<std::uint64_t>(4096 - 8), 0x7777777777777777u);
}

TEST(MaskedMove, ObeysTheSegmentOverride) {
    Bench bench(CodeSize::Bits64);
    CpuState& state = bench.m.state();
    state.segments[FS].base = base;
    state.gpr[RDI] = 16;
    state.vectors[0].bytes.fill(0x33);
    state.vectors[1].bytes.fill(0xff);
    ASSERT_EQ(bench.run({0x64, 0x66, 0x0f, 0xf7, 0xc1}), Outcome::Next);
    EXPECT_EQ(bench.at<std::uint64_t>(16), 0x3333333333333333u);
}

TEST(SharedMnemonics, StringInstructionsAreStillThere) {
    Bench bench(CodeSize::Bits64);
    CpuState& state = bench.m.state();
    state.gpr[RSI] = base;
    state.gpr[RDI] = base + 64;
    bench.m.store(base, std::uint32_t{0x12345678});
    ASSERT_EQ(bench.run({0xa5}), Outcome::Next);
    EXPECT_EQ(bench.at<std::uint32_t>(64), 0x12345678u);
    EXPECT_EQ(state.gpr[RDI], base + 68);
    ASSERT_EQ(bench.run({0xa7}), Outcome::Next);
    EXPECT_EQ(state.gpr[RSI], base + 8);
}

TEST(Fences, ClflushChecksItsAddress) {
    Bench bench(CodeSize::Bits64);
    bench.m.state().gpr[RSI] = base;
    EXPECT_EQ(bench.run({0x0f, 0xae, 0x3e}), Outcome::Next);
    bench.m.state().gpr[RSI] = 0;
    EXPECT_EQ(bench.run({0x0f, 0xae, 0x3e}), Outcome::Fault);
    for (const std::uint8_t fence : {0xe8, 0xf0, 0xf8})
        EXPECT_EQ(bench.run({0x0f, 0xae, fence}), Outcome::Next);
}

TEST(Fences, ClflushChecksOneByteOfASegment) {
    Bench bench(CodeSize::Bits32);
    bench.m.state().segments[DS].limit = base + 0xff;
    bench.m.state().gpr[RSI] = base + 0xff;
    EXPECT_EQ(bench.run({0x0f, 0xae, 0x3e}), Outcome::Next);
    bench.m.state().gpr[RSI] = base + 0x100;
    EXPECT_EQ(bench.run({0x0f, 0xae, 0x3e}), Outcome::Fault);
}

TEST(HostFloatingPoint, KeepsGuestFlagsApartFromTheHosts) {
    CpuState state;
    state.mxcsr = mxcsr::power_on | mxcsr::flush_to_zero;
    enter_guest_fp(state);
    {
        const HostFloatingPoint host;
        EXPECT_EQ(host_mxcsr(), mxcsr::power_on);
        volatile double third = 1.0;
        third = third / 3;
    }
    EXPECT_EQ(host_mxcsr(), mxcsr::power_on | mxcsr::flush_to_zero);
    leave_guest_fp(state);
    EXPECT_EQ(state.mxcsr, mxcsr::power_on | mxcsr::flush_to_zero);
}

}  // namespace
}  // namespace backplane::x86::testing
