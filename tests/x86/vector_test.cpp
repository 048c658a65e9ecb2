#include "x86/fp_availability.h"
#include "x86/vector_comparison.h"

#include <gtest/gtest.h>

#include <csignal>

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

// The four precisions of an opcode: ps, pd, ss, sd.
const Code precisions[] = {{0x0f}, {0x66, 0x0f}, {0xf3, 0x0f}, {0xf2, 0x0f}};

std::vector<Opcode> float_opcodes() {
    std::vector<Opcode> list;
    const auto add = [&](const char* name, Code prefix, std::uint8_t byte, unsigned controls = 0) {
        prefix.push_back(byte);
        list.push_back({name, prefix, controls});
    };
    for (const Code& precision : precisions) {
        add("sqrt", precision, 0x51);
        add("add", precision, 0x58);
        add("mul", precision, 0x59);
        add("sub", precision, 0x5c);
        add("min", precision, 0x5d);
        add("div", precision, 0x5e);
        add("max", precision, 0x5f);
        add("cmp", precision, 0xc2, 16);
        add("cvt float", precision, 0x5a);
    }
    for (const Code& precision : {Code{0x0f}, Code{0xf3, 0x0f}}) {
        add("rsqrt", precision, 0x52);
        add("rcp", precision, 0x53);
    }
    for (const Code& precision : {Code{0x0f}, Code{0x66, 0x0f}}) {
        add("ucomis", precision, 0x2e);
        add("comis", precision, 0x2f);
        add("shuf", precision, 0xc6, 32);
    }
    add("cvtdq2ps", {0x0f}, 0x5b);
    add("cvtps2dq", {0x66, 0x0f}, 0x5b);
    add("cvttps2dq", {0xf3, 0x0f}, 0x5b);
    add("cvtdq2pd", {0xf3, 0x0f}, 0xe6);
    add("cvtpd2dq", {0xf2, 0x0f}, 0xe6);
    add("cvttpd2dq", {0x66, 0x0f}, 0xe6);
    for (const std::uint8_t prefix : {0xf2, 0xf3}) {
        add("cvtsi2s", {prefix, 0x0f}, 0x2a);
        add("cvtts2si", {prefix, 0x0f}, 0x2c);
        add("cvts2si", {prefix, 0x0f}, 0x2d);
        add("cvtsi2s 64", {prefix, 0x48, 0x0f}, 0x2a);
        add("cvtts2si 64", {prefix, 0x48, 0x0f}, 0x2c);
        add("cvts2si 64", {prefix, 0x48, 0x0f}, 0x2d);
    }
    for (const Code& precision : {Code{0x0f}, Code{0x66, 0x0f}}) {
        add("cvtpi2p", precision, 0x2a);
        add("cvttp2pi", precision, 0x2c);
        add("cvtp2pi", precision, 0x2d);
    }
    return list;
}

TEST(SseFloat, MatchesTheProcessorWithExceptionsMasked) {
    for (const Opcode& opcode : float_opcodes())
        check(opcode, Both, Masks::AllSet, executions);
}

TEST(SseFloat, MatchesTheProcessorWithExceptionsUnmasked) {
    for (const Opcode& opcode : float_opcodes())
        check(opcode, Both, Masks::Random, executions);
}

TEST(VectorInteger, MatchesTheProcessorInBothRegisterFiles) {
    static constexpr std::uint8_t both[] = {
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x74, 0x75,
        0x76, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
        0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea, 0xeb, 0xec, 0xed, 0xee, 0xef,
        0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9, 0xfa, 0xfb, 0xfc, 0xfd, 0xfe};
    for (const std::uint8_t byte : both) {
        const std::string name = hex(std::span{&byte, 1});
        check({name.c_str(), {0x0f, byte}}, Both, Masks::AllSet, executions);
        check({name.c_str(), {0x66, 0x0f, byte}}, Both, Masks::AllSet, executions);
    }
    for (const std::uint8_t byte : {0x6c, 0x6d, 0x14, 0x15, 0x54, 0x55, 0x56, 0x57})
        check({"66 0f", {0x66, 0x0f, byte}}, Both, Masks::AllSet, executions);
    for (const std::uint8_t byte : {0x14, 0x15, 0x54, 0x55, 0x56, 0x57})
        check({"0f", {0x0f, byte}}, Both, Masks::AllSet, executions);
}

TEST(VectorInteger, ShufflesAndShiftsByControlBytes) {
    check({"pshufw", {0x0f, 0x70}, 64}, Both, Masks::AllSet, executions);
    check({"pshufd", {0x66, 0x0f, 0x70}, 64}, Both, Masks::AllSet, executions);
    check({"pshuflw", {0xf2, 0x0f, 0x70}, 64}, Both, Masks::AllSet, executions);
    check({"pshufhw", {0xf3, 0x0f, 0x70}, 64}, Both, Masks::AllSet, executions);
    check({"pinsrw", {0x0f, 0xc4}, 16}, Both, Masks::AllSet, executions);
    check({"pinsrw", {0x66, 0x0f, 0xc4}, 16}, Both, Masks::AllSet, executions);
    check({"pextrw", {0x0f, 0xc5}, 16}, Registers, Masks::AllSet, executions);
    check({"pextrw", {0x66, 0x0f, 0xc5}, 16}, Registers, Masks::AllSet, executions);
    FpValues values(1);
    for (const std::uint8_t opcode : {0x71, 0x72, 0x73})
        for (const std::uint8_t extension : {2, 3, 4, 6, 7})
            for (const bool wide : {false, true}) {
                const bool exists = (opcode != 0x73 &&
                                     (extension == 2 || extension == 4 || extension == 6)) ||
                                    (opcode == 0x73 && (extension == 2 || extension == 6 ||
                                                        (wide && extension != 4)));
                if (!exists) continue;
                for (const std::uint8_t count :
                     {0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 128, 255}) {
                    Code code{0x0f, opcode, static_cast<std::uint8_t>(0xc2 | extension << 3),
                              count};
                    if (wide) code.insert(code.begin(), 0x66);
                    FpComparison comparison(code);
                    for (int i = 0; i < 50; ++i)
                        ASSERT_EQ(comparison.difference(values.state(Masks::AllSet, Tags::Random),
                                                        values.memory()),
                                  "");
                }
            }
}

TEST(VectorMove, MatchesTheProcessor) {
    const auto both = [](const char* name, const Code& bytes) {
        check({name, bytes}, Both, Masks::AllSet, executions);
    };
    const auto memory = [](const char* name, const Code& bytes) {
        check({name, bytes}, MemorySource, Masks::AllSet, executions);
    };
    const auto registers = [](const char* name, const Code& bytes) {
        check({name, bytes}, Registers, Masks::AllSet, executions);
    };
    for (const Code& precision : precisions) {
        Code load = precision, store = precision;
        load.push_back(0x10);
        store.push_back(0x11);
        both("mov", load);
        both("mov", store);
    }
    for (const Code& precision : {Code{0x0f}, Code{0x66, 0x0f}}) {
        const auto with = [&](std::uint8_t byte) {
            Code code = precision;
            code.push_back(byte);
            return code;
        };
        memory("movlp", with(0x12));
        memory("movlp", with(0x13));
        memory("movhp", with(0x16));
        memory("movhp", with(0x17));
        both("movap", with(0x28));
        both("movap", with(0x29));
        memory("movntp", with(0x2b));
        registers("movmskp", with(0x50));
        registers("pmovmskb", with(0xd7));
        registers("maskmov", with(0xf7));
        both("movd", with(0x6e));
        both("movd", with(0x7e));
        both("movq or movdqa", with(0x6f));
        both("movq or movdqa", with(0x7f));
        memory("movntq or movntdq", with(0xe7));
    }
    registers("movhlps", {0x0f, 0x12});
    registers("movlhps", {0x0f, 0x16});
    both("movdqu", {0xf3, 0x0f, 0x6f});
    both("movdqu", {0xf3, 0x0f, 0x7f});
    both("movq", {0xf3, 0x0f, 0x7e});
    both("movq", {0x66, 0x0f, 0xd6});
    both("movq general", {0x66, 0x48, 0x0f, 0x6e});
    registers("movq general mmx", {0x48, 0x0f, 0x6e});
    registers("movq2dq", {0xf3, 0x0f, 0xd6});
    registers("movdq2q", {0xf2, 0x0f, 0xd6});
}

TEST(VectorMove, ReachesTheUpperRegisters) {
    FpValues values(2);
    for (const Code& code : {Code{0x66, 0x45, 0x0f, 0xfe, 0xca}, Code{0xf2, 0x45, 0x0f, 0x58, 0xfb},
                             Code{0x44, 0x0f, 0x29, 0x2e}, Code{0x66, 0x45, 0x0f, 0xd7, 0xc9}}) {
        if (code[3] == 0xd7) continue;  // writes R9, which is not compared
        FpComparison comparison(code);
        for (int i = 0; i < 200; ++i)
            ASSERT_EQ(
                comparison.difference(values.state(Masks::AllSet, Tags::Random), values.memory()),
                "");
    }
}

TEST(VectorMove, AlignedFormsFaultWhereTheProcessorDoes) {
    FpValues values(3);
    for (const Code& code :
         {Code{0x0f, 0x28, 0x06}, Code{0x0f, 0x29, 0x06}, Code{0x66, 0x0f, 0x6f, 0x06},
          Code{0x66, 0x0f, 0xe7, 0x06}, Code{0x66, 0x0f, 0xfe, 0x06}, Code{0x0f, 0x58, 0x06},
          Code{0x66, 0x0f, 0x2d, 0x06}, Code{0x0f, 0xae, 0x06}}) {
        FpComparison comparison(code);
        comparison.misalignment = 8;
        ASSERT_EQ(
            comparison.difference(values.state(Masks::AllSet, Tags::AllFull), values.memory()), "");
        ASSERT_EQ(comparison.raised()->vector, Vector::GeneralProtection) << hex(code);
    }
    for (const Code& code :
         {Code{0x0f, 0x10, 0x06}, Code{0xf3, 0x0f, 0x6f, 0x06}, Code{0xf3, 0x0f, 0x58, 0x06},
          Code{0x0f, 0xfe, 0x06}, Code{0xf3, 0x0f, 0xe6, 0x06}}) {
        FpComparison comparison(code);
        comparison.misalignment = 3;
        ASSERT_EQ(
            comparison.difference(values.state(Masks::AllSet, Tags::AllFull), values.memory()), "");
    }
}

TEST(Mxcsr, LoadsStoresAndRefusesReservedBits) {
    FpValues values(4);
    FpComparison load({0x0f, 0xae, 0x16}), store({0x0f, 0xae, 0x1e});
    for (int i = 0; i < 1000; ++i) {
        auto memory = values.memory();
        const std::uint32_t value = static_cast<std::uint32_t>(values.bits()) &
                                    (values.one_in(2) ? 0xffff : 0x1ffff);
        std::memcpy(memory.data(), &value, sizeof value);
        ASSERT_EQ(load.difference(values.state(Masks::Random, Tags::AllFull), memory), "");
        ASSERT_EQ(store.difference(values.state(Masks::Random, Tags::AllFull), memory), "");
    }
    EXPECT_GT(load.faults, 0u);
}

TEST(FloatingPointAvailability, FollowsTheControlRegisters) {
    struct Case {
        Code code;
        std::uint64_t cr0, cr4;
        std::optional<Vector> expected;
    };
    using enum Vector;
    const Code sse{0x0f, 0x58, 0xc1}, mmx{0x0f, 0xfe, 0xc1}, x87{0xd8, 0xc1}, wait{0x9b},
        both{0x0f, 0x2a, 0xc1}, ssse3{0x66, 0x0f, 0x38, 0x00, 0xc1},
        ssse3_mmx{0x0f, 0x38, 0x00, 0xc1}, aes{0x66, 0x0f, 0x38, 0xdc, 0xc1}, fisttp{0xdb, 0x0e};
    constexpr std::uint64_t mp = 2, em = 4, ts = 8, osfxsr = 1u << 9;
    const Case cases[] = {{sse, 0, osfxsr, {}},
                          {sse, 0, 0, InvalidOpcode},
                          {sse, em, osfxsr, InvalidOpcode},
                          {sse, ts, osfxsr, DeviceNotAvailable},
                          {sse, ts, 0, InvalidOpcode},
                          {sse, em | ts, osfxsr, InvalidOpcode},
                          {mmx, 0, 0, {}},
                          {mmx, em, 0, InvalidOpcode},
                          {mmx, ts, 0, DeviceNotAvailable},
                          {x87, 0, 0, {}},
                          {x87, em, 0, DeviceNotAvailable},
                          {x87, ts, 0, DeviceNotAvailable},
                          {wait, ts, 0, {}},
                          {wait, mp | ts, 0, DeviceNotAvailable},
                          {wait, em, 0, {}},
                          {ssse3, 0, 0, InvalidOpcode},
                          {ssse3, ts, osfxsr, DeviceNotAvailable},
                          {ssse3_mmx, 0, 0, {}},
                          {ssse3_mmx, em | ts, osfxsr, InvalidOpcode},
                          {ssse3_mmx, ts, 0, DeviceNotAvailable},
                          {aes, em, osfxsr, InvalidOpcode},
                          {aes, ts, osfxsr, DeviceNotAvailable},
                          {fisttp, em, 0, DeviceNotAvailable},
                          {fisttp, ts, osfxsr, DeviceNotAvailable},
                          {both, 0, osfxsr, {}},
                          {both, 0, 0, InvalidOpcode},
                          {both, ts, osfxsr, DeviceNotAvailable}};
    for (const Case& one : cases) {
        SCOPED_TRACE(hex(one.code));
        alignas(64) std::array<std::byte, 64> memory{};
        SemanticsMachine m(0x1000, memory);
        m.state().x87.valid = 0xff;
        m.state().cr0 = one.cr0;
        m.state().cr4 = one.cr4;
        Instruction instruction;
        ASSERT_EQ(Decoder{}.decode(std::as_bytes(std::span{one.code}), CodeSize::Bits64, 0x1000,
                                   instruction),
                  DecodeStatus::Complete);
        const auto outcome = execute(m, floating_point_forms(), instruction);
        ASSERT_TRUE(outcome.has_value());
        EXPECT_EQ(*outcome == Outcome::Fault, one.expected.has_value());
        if (one.expected) EXPECT_EQ(m.raised->vector, *one.expected);
    }
}

TEST(SseFloat, RaisesInvalidOpcodeWhereTheSystemDoesNotHandleSimdExceptions) {
    alignas(64) std::array<std::byte, 64> memory{};
    SemanticsMachine m(0x1000, memory);
    CpuState& state = m.state();
    state.cr4 = fp_control::cr4_osfxsr;
    state.mxcsr = 0x1f80 & ~(mxcsr::zero_divide << mxcsr::mask_shift);
    const Code code{0x0f, 0x5e, 0xc1};  // DIVPS of 0 by 0 and 1 by 0
    const std::array<float, 4> numerators{1, 1, 1, 1};
    std::memcpy(state.vectors[0].bytes.data(), numerators.data(), 16);
    Instruction instruction;
    ASSERT_EQ(
        Decoder{}.decode(std::as_bytes(std::span{code}), CodeSize::Bits64, 0x1000, instruction),
        DecodeStatus::Complete);
    enter_guest_fp(state);
    const auto outcome = execute(m, floating_point_forms(), instruction);
    leave_guest_fp(state);
    ASSERT_EQ(outcome, Outcome::Fault);
    EXPECT_EQ(m.raised->vector, Vector::InvalidOpcode);
    EXPECT_EQ(state.mxcsr & mxcsr::flags, mxcsr::zero_divide);
    EXPECT_EQ(std::memcmp(state.vectors[0].bytes.data(), numerators.data(), 16), 0);
}

}  // namespace
}  // namespace backplane::x86::testing
