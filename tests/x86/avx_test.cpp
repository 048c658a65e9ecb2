// VEX-encoded instructions against the processor.
#include "x86/avx_comparison.h"

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;

AvxCase three(unsigned prefix, std::uint8_t byte, unsigned map = 1) {
    return {.opcode = {.map = map, .prefix = prefix, .byte = byte}};
}
AvxCase two(unsigned prefix, std::uint8_t byte, unsigned map = 1) {
    return {.opcode = {.map = map, .prefix = prefix, .byte = byte}, .has_first_source = false};
}
AvxCase with_control(AvxCase one) {
    one.has_control = true;
    return one;
}
AvxCase of_widths(AvxCase one, Widths widths) {
    one.widths = widths;
    return one;
}
AvxCase of_shapes(AvxCase one, Shapes shapes) {
    one.shapes = shapes;
    return one;
}
AvxCase wide(AvxCase one) {
    one.opcode.w = true;
    return one;
}

constexpr unsigned none = 0, p66 = 1, pf3 = 2, pf2 = 3;

TEST(AvxInteger, MatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    static constexpr std::uint8_t lanewise[] = {
        0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c,
        0x6d, 0x74, 0x75, 0x76, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd8, 0xd9, 0xda, 0xdb,
        0xdc, 0xdd, 0xde, 0xdf, 0xe0, 0xe1, 0xe2, 0xe3, 0xe4, 0xe5, 0xe8, 0xe9, 0xea,
        0xeb, 0xec, 0xed, 0xee, 0xef, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf8, 0xf9,
        0xfa, 0xfb, 0xfc, 0xfd, 0xfe, 0x14, 0x15, 0x54, 0x55, 0x56, 0x57};
    for (const std::uint8_t byte : lanewise)
        compare_avx(three(p66, byte));
    for (const std::uint8_t byte : {0x14, 0x15, 0x54, 0x55, 0x56, 0x57})
        compare_avx(three(none, byte));
}

TEST(AvxInteger, ShufflesAndShiftsByControlBytes) {
    BACKPLANE_NEEDS_HOST(Avx2);
    for (const unsigned prefix : {p66, pf3, pf2})
        compare_avx(with_control(two(prefix, 0x70)));
    FpValues values(1);
    for (const bool ymm : {false, true})
        for (const std::uint8_t opcode : {0x71, 0x72, 0x73})
            for (const unsigned extension : {2u, 3u, 4u, 6u, 7u}) {
                const bool exists = opcode == 0x73 ? extension != 4
                                                   : extension != 3 && extension != 7;
                if (!exists) continue;
                for (const int count : {0, 1, 3, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 128, 255}) {
                    FpComparison comparison(
                        vex_code({.prefix = p66, .byte = opcode}, ymm, {extension, 9, 2}, count));
                    for (int i = 0; i < 50; ++i)
                        ASSERT_EQ(comparison.difference(
                                      values.state(Masks::AllSet, FpValues::Tags::AllFull),
                                      values.memory()),
                                  "");
                }
            }
}

TEST(AvxInteger, ExchangesMasksAndElementsWithGeneralRegisters) {
    BACKPLANE_NEEDS_HOST(Avx2);
    FpValues values(2);
    const auto check = [&](const VexOpcode& opcode, bool ymm, unsigned rm, int control = -1) {
        FpComparison comparison(vex_code(opcode, ymm, {RDX, 0, rm}, control));
        for (int i = 0; i < 200; ++i)
            ASSERT_EQ(comparison.difference(values.state(Masks::AllSet, FpValues::Tags::AllFull),
                                            values.memory()),
                      "");
    };
    for (const bool ymm : {false, true})
        for (const unsigned rm : {1u, 14u}) {
            check({.prefix = p66, .byte = 0xd7}, ymm, rm);
            check({.prefix = none, .byte = 0x50}, ymm, rm);
            check({.prefix = p66, .byte = 0x50}, ymm, rm);
        }
    for (int control = 0; control < 16; ++control) {
        check({.prefix = p66, .byte = 0xc5}, false, 3, control);
        check({.prefix = p66, .byte = 0xc4}, false, RCX, control);
    }
    compare_avx(of_shapes(of_widths(with_control(three(p66, 0xc4)), Xmm), WithMemory));
}

std::vector<AvxCase> float_cases() {
    std::vector<AvxCase> cases;
    for (const unsigned prefix : {none, p66, pf3, pf2}) {
        const bool packed = prefix == none || prefix == p66;
        for (const std::uint8_t byte : {0x58, 0x59, 0x5c, 0x5d, 0x5e, 0x5f})
            cases.push_back(three(prefix, byte));
        cases.push_back(packed ? two(prefix, 0x51) : three(prefix, 0x51));
        cases.push_back(with_control(three(prefix, 0xc2)));
        if (packed) cases.push_back(with_control(three(prefix, 0xc6)));
        if (!packed) cases.push_back(three(prefix, 0x5a));
    }
    for (const std::uint8_t byte : {0x52, 0x53}) {
        cases.push_back(two(none, byte));
        cases.push_back(three(pf3, byte));
    }
    for (const std::uint8_t byte : {0x2e, 0x2f, 0x5a}) {
        cases.push_back(two(none, byte));
        cases.push_back(two(p66, byte));
    }
    for (const unsigned prefix : {none, p66, pf3})
        cases.push_back(two(prefix, 0x5b));
    for (const unsigned prefix : {p66, pf3, pf2})
        cases.push_back(two(prefix, 0xe6));
    for (const std::uint8_t byte : {0x0e, 0x0f})
        cases.push_back(two(p66, byte, 2));
    return cases;
}

TEST(AvxFloat, MatchesTheProcessorWithExceptionsMasked) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const AvxCase& one : float_cases())
        compare_avx(one);
}

TEST(AvxFloat, MatchesTheProcessorWithExceptionsUnmasked) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const AvxCase& one : float_cases())
        compare_avx(one, Masks::Random);
}

// Operands are RAX to RDX, those that are compared.
TEST(AvxFloat, ConvertsFromAndToGeneralRegisters) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(3);
    for (const unsigned prefix : {pf3, pf2})
        for (const std::uint8_t byte : {0x2a, 0x2c, 0x2d})
            for (const bool w : {false, true})
                for (const bool memory : {false, true}) {
                    const unsigned source = byte == 0x2a ? RCX : 11;
                    FpComparison comparison(
                        vex_code({.prefix = prefix, .byte = byte, .w = w}, false,
                                 {RDX, byte == 0x2a ? 9u : 0u, source, memory}));
                    for (int i = 0; i < 300; ++i)
                        ASSERT_EQ(comparison.difference(
                                      values.state(Masks::Random, FpValues::Tags::AllFull),
                                      values.memory()),
                                  "");
                }
}

TEST(AvxMove, MatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const unsigned prefix : {none, p66})
        for (const std::uint8_t byte : {0x10, 0x11})
            compare_avx(two(prefix, byte));
    for (const unsigned prefix : {p66, pf3})
        for (const std::uint8_t byte : {0x6f, 0x7f})
            compare_avx(of_shapes(two(prefix, byte), prefix == p66 ? WithRegisters : WithBoth));
    for (const unsigned prefix : {none, p66})
        for (const std::uint8_t byte : {0x28, 0x29})
            compare_avx(of_shapes(two(prefix, byte), WithRegisters));
    for (const unsigned prefix : {pf3, pf2})
        for (const std::uint8_t byte : {0x10, 0x11}) {
            compare_avx(of_shapes(three(prefix, byte), WithRegisters));
            compare_avx(of_shapes(two(prefix, byte), WithMemory));
        }
    for (const unsigned prefix : {none, p66})
        for (const std::uint8_t byte : {0x12, 0x16}) {
            compare_avx(of_widths(of_shapes(three(prefix, byte), WithMemory), Xmm));
            compare_avx(of_widths(
                of_shapes(two(prefix, static_cast<std::uint8_t>(byte + 1)), WithMemory), Xmm));
        }
    compare_avx(of_widths(of_shapes(three(none, 0x12), WithRegisters), Xmm));  // VMOVHLPS
    compare_avx(of_widths(of_shapes(three(none, 0x16), WithRegisters), Xmm));  // VMOVLHPS
    compare_avx(of_widths(two(pf3, 0x7e), Xmm));                               // VMOVQ
    compare_avx(of_widths(two(p66, 0xd6), Xmm));
    for (const std::uint8_t byte : {0x6e, 0x7e}) {  // VMOVD, VMOVQ
        compare_avx(of_widths(of_shapes(two(p66, byte), WithMemory), Xmm));
        compare_avx(wide(of_widths(of_shapes(two(p66, byte), WithMemory), Xmm)));
    }
    compare_avx(of_shapes(two(pf2, 0xf0), WithMemory));                     // VLDDQU
    compare_avx(of_widths(of_shapes(two(p66, 0xf7), WithRegisters), Xmm));  // VMASKMOVDQU
}

TEST(AvxMove, ReachesGeneralRegisters) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(4);
    for (const std::uint8_t byte : {0x6e, 0x7e})
        for (const bool w : {false, true})
            for (const unsigned vector : {2u, 10u}) {
                FpComparison comparison(
                    vex_code({.prefix = p66, .byte = byte, .w = w}, false, {vector, 0, RCX}));
                for (int i = 0; i < 100; ++i)
                    ASSERT_EQ(
                        comparison.difference(values.state(Masks::AllSet, FpValues::Tags::AllFull),
                                              values.memory()),
                        "");
            }
}

TEST(AvxMove, AlignedFormsFaultWhereTheProcessorDoes) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(5);
    const auto check = [&](unsigned prefix, std::uint8_t byte, unsigned map) {
        for (const bool ymm : {false, true})
            for (const std::size_t misalignment : {0, 8, 16, 32}) {
                FpComparison comparison(
                    vex_code({.map = map, .prefix = prefix, .byte = byte}, ymm, {6, 0, 0, true}));
                comparison.misalignment = misalignment;
                ASSERT_EQ(
                    comparison.difference(values.state(Masks::AllSet, FpValues::Tags::AllFull),
                                          values.memory()),
                    "");
                const bool aligned = misalignment % (ymm ? 32 : 16) == 0;
                EXPECT_EQ(comparison.faults, aligned ? 0u : 1u);
            }
    };
    for (const unsigned prefix : {none, p66})
        for (const std::uint8_t byte : {0x28, 0x29, 0x2b})
            check(prefix, byte, 1);
    for (const std::uint8_t byte : {0x6f, 0x7f, 0xe7})
        check(p66, byte, 1);
    check(p66, 0x2a, 2);  // VMOVNTDQA
}

TEST(AvxMove, ClearsRegisters) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(6);
    for (const std::uint8_t l : {0xf8, 0xfc}) {  // VZEROUPPER, VZEROALL
        FpComparison comparison({0xc5, l, 0x77});
        for (int i = 0; i < 20; ++i)
            ASSERT_EQ(comparison.difference(values.state(Masks::AllSet, FpValues::Tags::AllFull),
                                            values.memory()),
                      "");
    }
}

TEST(AvxMove, LoadsAndStoresMxcsr) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(7);
    FpComparison load({0xc5, 0xf8, 0xae, 0x16}), store({0xc5, 0xf8, 0xae, 0x1e});
    for (int i = 0; i < 500; ++i) {
        auto memory = values.memory();
        const std::uint32_t value = static_cast<std::uint32_t>(values.bits()) &
                                    (values.one_in(2) ? 0xffff : 0x1ffff);
        std::memcpy(memory.data(), &value, sizeof value);
        const auto state = values.state(Masks::Random, FpValues::Tags::AllFull);
        ASSERT_EQ(load.difference(state, memory), "");
        ASSERT_EQ(store.difference(state, memory), "");
    }
    EXPECT_GT(load.faults, 0u);
}

TEST(AvxAvailability, FollowsTheControlRegistersAndTheMode) {
    struct Case {
        std::uint64_t cr0, cr4, xcr0, flags;
        std::optional<Vector> expected;
    };
    using enum Vector;
    constexpr std::uint64_t pe = 1, em = 4, ts = 8, osxsave = 1u << 18, vm = 1u << 17;
    const Case cases[] = {{pe, osxsave, 7, 0, {}},
                          {pe | em, osxsave, 7, 0, {}},
                          {pe, 0, 7, 0, InvalidOpcode},
                          {pe, osxsave, 3, 0, InvalidOpcode},
                          {pe, osxsave, 1, 0, InvalidOpcode},
                          {pe | ts, osxsave, 7, 0, DeviceNotAvailable},
                          {pe | ts, osxsave, 3, 0, InvalidOpcode},
                          {0, osxsave, 7, 0, InvalidOpcode},
                          {pe, osxsave, 7, vm, InvalidOpcode}};
    for (const Case& one : cases)
        for (const Code& code : {Code{0xc5, 0xf5, 0xfe, 0xc2}, Code{0xc5, 0xf8, 0x77},
                                 Code{0xc5, 0xfa, 0x2d, 0x06}, Code{0xc5, 0xf8, 0xae, 0x1e}}) {
            SCOPED_TRACE(hex(code));
            alignas(64) std::array<std::byte, 64> memory{};
            SemanticsMachine m(0x1000, memory);
            CpuState& state = m.state();
            state.cr0 = one.cr0;
            state.cr4 = one.cr4;
            state.xcr0 = one.xcr0;
            state.rflags |= one.flags;
            state.gpr[RSI] = 0x1000;
            Instruction instruction;
            ASSERT_EQ(Decoder{}.decode(std::as_bytes(std::span{code}), CodeSize::Bits64, 0x1000,
                                       instruction),
                      DecodeStatus::Complete);
            const auto outcome = execute(m, floating_point_forms(), instruction);
            ASSERT_TRUE(outcome.has_value());
            EXPECT_EQ(*outcome == Outcome::Fault, one.expected.has_value());
            if (one.expected) EXPECT_EQ(m.raised->vector, *one.expected);
        }
}

}  // namespace
}  // namespace backplane::x86::testing
