// VEX forms of the instructions of SSE3 to SSE4.2, AES and PCLMULQDQ, and F16C, against the
// processor.
#include "x86/avx_comparison.h"

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

constexpr unsigned p66 = 1, pf3 = 2, pf2 = 3;

AvxCase opcode(unsigned map, unsigned prefix, std::uint8_t byte, bool first_source) {
    return {.opcode = {.map = map, .prefix = prefix, .byte = byte},
            .has_first_source = first_source,
            .has_control = map == 3};
}
AvxCase xmm_only(AvxCase one) {
    one.widths = Xmm;
    return one;
}

TEST(AvxSse4, IntegersMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    // PSHUFB, horizontal sums, PMADDUBSW, PSIGN, PMULHRSW, PMULDQ, PCMPEQQ, PACKUSDW, PCMPGTQ,
    // minima and maxima, PMULLD.
    for (const std::uint8_t byte :
         {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a, 0x0b, 0x28,
          0x29, 0x2b, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40})
        compare_avx(opcode(2, p66, byte, true));
    // PABS, PMOVSX, PMOVZX, PTEST.
    for (const std::uint8_t byte : {0x1c, 0x1d, 0x1e, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30,
                                    0x31, 0x32, 0x33, 0x34, 0x35, 0x17})
        compare_avx(opcode(2, p66, byte, false));
    compare_avx(xmm_only(opcode(2, p66, 0x41, false)));  // PHMINPOSUW
    for (const std::uint8_t byte : {0x0e, 0x0f, 0x42})   // PBLENDW, PALIGNR, MPSADBW
        compare_avx(opcode(3, p66, byte, true));
}

TEST(AvxSse4, BlendsByAFourthRegisterMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    for (const std::uint8_t byte : {0x4a, 0x4b, 0x4c})
        compare_avx(opcode(3, p66, byte, true));
    for (const std::uint8_t byte : {0x0c, 0x0d})
        compare_avx(opcode(3, p66, byte, true));
}

TEST(AvxSse4, ElementsMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    FpValues values(10);
    const auto check = [&](unsigned map, std::uint8_t byte, bool w, const VexOperands& operands) {
        for (int control = 0; control < 256; control += 5) {
            FpComparison comparison(vex_code({.map = map, .prefix = p66, .byte = byte, .w = w},
                                             false, operands, control));
            comparison.misalignment = 1;
            for (int i = 0; i < 20; ++i)
                ASSERT_EQ(comparison.difference(values.state(Masks::AllSet, Tags::AllFull),
                                                values.memory()),
                          "");
        }
    };
    for (const std::uint8_t byte : {0x14, 0x15, 0x16, 0x17})  // PEXTR, EXTRACTPS
        for (const bool w : {false, true}) {
            if (w && byte != 0x16) continue;
            check(3, byte, w, {9, 0, RCX});
            check(3, byte, w, {3, 0, 0, true});
        }
    for (const std::uint8_t byte : {0x20, 0x22})  // PINSR
        for (const bool w : {false, true}) {
            if (w && byte != 0x22) continue;
            check(3, byte, w, {9, 4, RCX});
            check(3, byte, w, {3, 12, 0, true});
        }
    check(3, 0x21, false, {1, 2, 3});  // INSERTPS
    check(3, 0x21, false, {1, 2, 0, true});
}

TEST(AvxSse4, FloatMatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const Masks masks : {Masks::AllSet, Masks::Random}) {
        for (const unsigned prefix : {p66, pf2})
            for (const std::uint8_t byte : {0x7c, 0x7d, 0xd0})
                compare_avx(opcode(1, prefix, byte, true), masks);
        for (const std::uint8_t byte : {0x08, 0x09})
            compare_avx(opcode(3, p66, byte, false), masks);
        for (const std::uint8_t byte : {0x0a, 0x0b, 0x40})
            compare_avx(opcode(3, p66, byte, true), masks);
        compare_avx(xmm_only(opcode(3, p66, 0x41, true)), masks);
    }
    for (const unsigned prefix : {pf3, pf2})
        compare_avx(opcode(1, prefix, 0x12, false));  // MOVSLDUP, MOVDDUP
    compare_avx(opcode(1, pf3, 0x16, false));         // MOVSHDUP
}

TEST(AvxSse4, StringsMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const std::uint8_t byte : {0x60, 0x61, 0x62, 0x63})
        for (const bool w : {false, true}) {
            AvxCase one = xmm_only(opcode(3, p66, byte, false));
            one.opcode.w = w;
            compare_avx(one);
        }
}

TEST(AvxSse4, CryptographyMatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx);
    for (const std::uint8_t byte : {0xdc, 0xdd, 0xde, 0xdf})
        compare_avx(xmm_only(opcode(2, p66, byte, true)));
    compare_avx(xmm_only(opcode(2, p66, 0xdb, false)));
    compare_avx(xmm_only(opcode(3, p66, 0xdf, false)));
    compare_avx(xmm_only(opcode(3, p66, 0x44, true)));
}

TEST(F16c, MatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(F16c);
    for (const Masks masks : {Masks::AllSet, Masks::Random}) {
        compare_avx(opcode(2, p66, 0x13, false), masks, 2000);
        compare_avx(opcode(3, p66, 0x1d, false), masks, 2000);
    }
}

// Singles around the limits of half precision, with every rounding.
TEST(F16c, RoundsAsTheProcessorDoes) {
    BACKPLANE_NEEDS_HOST(F16c);
    FpValues values(11);
    for (int control = 0; control < 256; control += 3)
        for (const bool ymm : {false, true}) {
            FpComparison comparison(
                vex_code({.map = 3, .prefix = p66, .byte = 0x1d}, ymm, {3, 0, 1}, control));
            for (int i = 0; i < 100; ++i) {
                FpState state = values.state(values.one_in(2) ? Masks::AllSet : Masks::Random,
                                             Tags::AllFull);
                const auto single = [&]() -> std::uint64_t {
                    const std::uint64_t exponent = 127 - 26 + values.below(44);
                    const std::uint64_t fraction = values.bits() &
                                                   (values.one_in(2) ? 0x7fffff : 0x7fe000);
                    return (values.bits() & 0x80000000) | exponent << 23 | fraction;
                };
                for (auto* half : {&state.xmm[3], &state.ymm_high[3]})
                    for (std::uint64_t& pair : *half)
                        pair = single() | single() << 32;
                ASSERT_EQ(comparison.difference(state, values.memory()), "");
            }
        }
}

TEST(F16c, StoreThatFaultsRaisesNothingElse) {
    BACKPLANE_NEEDS_HOST(F16c);
    FpValues values(12);
    FpComparison comparison(
        vex_code({.map = 3, .prefix = p66, .byte = 0x1d}, true, {3, 0, 0, true}, 4));
    comparison.misalignment = FpComparison::at_page_end;
    comparison.pointer_offset = FpComparison::memory_size - 8;
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(
            comparison.difference(values.state(Masks::AllSet, Tags::AllFull), values.memory()), "");
    EXPECT_EQ(comparison.faults, 100u);
}

}  // namespace
}  // namespace backplane::x86::testing
