// What AMD processors do with operand-size prefixes in 64-bit code (APM 3; seen on Zen 5): near
// branches become 16 bits wide, far pointers in memory stay at 32-bit offsets, a 16-bit MOVSXD
// reads a doubleword.
#include "support/system_machine.h"
#include "x86/integer_forms.h"

#include <gtest/gtest.h>

namespace backplane::x86 {
namespace {

using testing::SystemMachine;
namespace selector = testing::selector;

using Bytes = std::vector<unsigned char>;

struct Branched {
    std::uint64_t rip;
    std::int64_t pushed;
};

// Runs a branch at `ip` on the integer forms. RAX and [RBX] name 1234_5678H.
Branched branch(const Bytes& bytes, bool amd, std::uint64_t ip = 0x52340) {
    std::vector<std::byte> memory(1 << 19);
    testing::SemanticsMachine m{0, memory};
    CpuState& state = m.state();
    state.cr0 |= cr0::pe;
    state.efer = efer::lma;
    state.segments[CS].attributes = testing::attributes::code64;
    state.segments[CS].limit = 0;  // of no consequence in 64-bit code
    state.gpr[RAX] = 0x12345678;
    state.gpr[RBX] = 0x6000;
    state.gpr[RSP] = 0x7000;
    state.flags.set_logic<std::uint8_t>(0);
    m.store<std::uint64_t>(0x6000, 0x12345678);
    m.store<std::uint64_t>(0x7000, 0x12345678);
    Instruction instruction;
    const Decoder decoder{{.amd_operands = amd}};
    Bytes padded = bytes;
    padded.resize(15);
    EXPECT_EQ(decoder.decode(std::as_bytes(std::span{padded}), CodeSize::Bits64, ip, instruction),
              DecodeStatus::Complete);
    EXPECT_NE(execute(m, testing::integer_forms(), instruction), Outcome::Fault);
    return {state.rip, static_cast<std::int64_t>(0x7000 - state.gpr[RSP])};
}

struct Case {
    Bytes bytes;
    std::uint64_t amd, intel;
    std::int64_t pushed_amd, pushed_intel;
};

TEST(NearBranches, WithAnOperandSizePrefixAre16BitsWideOnAmdOnly) {
    const Case cases[] = {
        {{0x66, 0xeb, 0x10}, 0x2353, 0x52353, 0, 0},
        {{0x66, 0xe9, 0x10, 0x00, 0x00, 0x00}, 0x2354, 0x52356, 0, 0},
        {{0x66, 0x74, 0x10}, 0x2353, 0x52353, 0, 0},
        {{0x66, 0x75, 0x10}, 0x52343, 0x52343, 0, 0},
        {{0x66, 0x0f, 0x84, 0x10, 0x00, 0x00, 0x00}, 0x2355, 0x52357, 0, 0},
        {{0x66, 0xe3, 0x10}, 0x2353, 0x52353, 0, 0},
        {{0x66, 0xe8, 0x10, 0x00, 0x00, 0x00}, 0x2354, 0x52356, 2, 8},
        {{0x66, 0xff, 0xd0}, 0x5678, 0x12345678, 2, 8},
        {{0x66, 0xff, 0xe0}, 0x5678, 0x12345678, 0, 0},
        {{0x66, 0xff, 0x13}, 0x5678, 0x12345678, 2, 8},
        {{0x66, 0xc3}, 0x5678, 0x12345678, -2, -8},
        {{0x66, 0xc2, 0x04, 0x00}, 0x5678, 0x12345678, -6, -12},
        {{0x66, 0x48, 0xe9, 0x10, 0x00, 0x00, 0x00}, 0x52357, 0x52357, 0, 0},
    };
    for (const Case& one : cases) {
        const auto shown = [&] { return ::testing::PrintToString(one.bytes); };
        const Branched amd = branch(one.bytes, true), intel = branch(one.bytes, false);
        EXPECT_EQ(amd.rip, one.amd) << shown();
        EXPECT_EQ(amd.pushed, one.pushed_amd) << shown();
        EXPECT_EQ(intel.rip, one.intel) << shown();
        EXPECT_EQ(intel.pushed, one.pushed_intel) << shown();
    }
}

TEST(FarPointers, HaveOffsetsOf64BitsOnIntelOnly) {
    for (const Vendor vendor : {Vendor::Amd, Vendor::Intel}) {
        auto m = SystemMachine::in_long_mode(0);
        m.fake.cpu_model.vendor = vendor;
        const bool amd = vendor == Vendor::Amd;
        m.state().gpr[RBX] = 0x6000;
        m.put<std::uint64_t>(0x6000, 0xf2345678);
        m.put<std::uint16_t>(amd ? 0x6004 : 0x6008, selector::data);
        EXPECT_NE(m.run({0x48, 0x0f, 0xb5, 0x03}), Outcome::Fault);  // lgs rax, [rbx]
        EXPECT_EQ(m.state().gpr[RAX], amd ? 0xf2345678u : m.get<std::uint64_t>(0x6000));
        EXPECT_EQ(m.state().segments[GS].selector, selector::data);

        m.put<std::uint64_t>(0x6000, 0x9000);
        m.put<std::uint16_t>(amd ? 0x6004 : 0x6008, selector::code64);
        EXPECT_EQ(m.run({0x48, 0xff, 0x1b}), Outcome::Jump);  // call far [rbx]
        EXPECT_EQ(m.state().rip, 0x9000u);
        EXPECT_EQ(m.state().gpr[RSP], SystemMachine::stack - 16);
    }
}

TEST(ShortMovsxd, ReadsADoublewordOnAmdOnly) {
    std::vector<std::byte> memory(0x1000);
    for (const bool amd : {true, false}) {
        const auto move_from = [&](std::uint64_t address) {
            testing::SemanticsMachine m{0, memory};
            m.state().efer = efer::lma;
            m.state().segments[CS].attributes = testing::attributes::code64;
            m.state().gpr[RAX] = 0x1111111111111111;
            m.state().gpr[RBX] = address;
            const std::array bytes = {std::byte{0x66}, std::byte{0x63}, std::byte{0x03}};
            Instruction instruction;
            const Decoder decoder{{.amd_operands = amd}};
            EXPECT_EQ(decoder.decode(bytes, CodeSize::Bits64, 0, instruction),
                      DecodeStatus::Complete);
            const auto outcome = execute(m, testing::integer_forms(), instruction);
            EXPECT_EQ(m.state().gpr[RAX],
                      outcome == Outcome::Fault ? 0x1111111111111111 : 0x111111111111f3f2);
            return outcome;
        };
        memory[0xffc] = memory[0xffe] = std::byte{0xf2};
        memory[0xffd] = memory[0xfff] = std::byte{0xf3};
        EXPECT_NE(move_from(0xffc), Outcome::Fault);
        EXPECT_EQ(move_from(0xffe) == Outcome::Fault, amd);
    }
}

}  // namespace
}  // namespace backplane::x86
