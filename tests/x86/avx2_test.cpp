// The instructions that only AVX, AVX2 and FMA have, against the processor.
#include "x86/avx_comparison.h"

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

constexpr unsigned p66 = 1;

AvxCase opcode(unsigned map, std::uint8_t byte, bool first_source, bool w = false) {
    return {.opcode = {.map = map, .prefix = p66, .byte = byte, .w = w},
            .has_first_source = first_source,
            .has_control = map == 3};
}
AvxCase ymm_only(AvxCase one) {
    one.widths = Ymm;
    return one;
}

TEST(AvxPermute, BroadcastsMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    for (const std::uint8_t byte : {0x18, 0x58, 0x59, 0x78, 0x79})
        compare_avx(opcode(2, byte, false));
    compare_avx(ymm_only(opcode(2, 0x19, false)));
    for (const std::uint8_t byte : {0x1a, 0x5a}) {
        AvxCase one = ymm_only(opcode(2, byte, false));
        one.shapes = WithMemory;
        compare_avx(one);
    }
}

TEST(AvxPermute, PermutationsMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    for (const std::uint8_t byte : {0x0c, 0x0d})
        compare_avx(opcode(2, byte, true));
    for (const std::uint8_t byte : {0x04, 0x05})
        compare_avx(opcode(3, byte, false));
    for (const std::uint8_t byte : {0x16, 0x36})
        compare_avx(ymm_only(opcode(2, byte, true)));
    for (const std::uint8_t byte : {0x00, 0x01})
        compare_avx(ymm_only(opcode(3, byte, false, true)));
    for (const std::uint8_t byte : {0x06, 0x18, 0x38, 0x46})
        compare_avx(ymm_only(opcode(3, byte, true)));
    for (const std::uint8_t byte : {0x19, 0x39})
        compare_avx(ymm_only(opcode(3, byte, false)));
}

TEST(AvxPermute, BlendsAndShiftsByElementsMatchTheProcessor) {
    BACKPLANE_NEEDS_HOST(Avx2);
    compare_avx(opcode(3, 0x02, true));
    for (const std::uint8_t byte : {0x45, 0x46, 0x47}) {
        compare_avx(opcode(2, byte, true));
        if (byte != 0x46) compare_avx(opcode(2, byte, true, true));
    }
    // Counts around the elements' widths.
    FpValues values(8);
    for (const std::uint8_t byte : {0x45, 0x46, 0x47})
        for (const bool w : {false, true}) {
            if (byte == 0x46 && w) continue;
            FpComparison comparison(
                vex_code({.map = 2, .prefix = p66, .byte = byte, .w = w}, true, {1, 2, 3}));
            for (int i = 0; i < 500; ++i) {
                FpState state = values.state(Masks::AllSet, Tags::AllFull);
                for (auto* half : {&state.xmm[3], &state.ymm_high[3]})
                    for (std::uint64_t& count : *half)
                        count = w ? values.below(68) : values.below(36) | values.below(36) << 32;
                ASSERT_EQ(comparison.difference(state, values.memory()), "");
            }
        }
}

TEST(Fma, MatchesTheProcessor) {
    BACKPLANE_NEEDS_HOST(Fma);
    for (const unsigned order : {0x90u, 0xa0u, 0xb0u})
        for (unsigned operation = 6; operation < 16; ++operation)
            for (const bool w : {false, true})
                for (const Masks masks : {Masks::AllSet, Masks::Random})
                    compare_avx(opcode(2, static_cast<std::uint8_t>(order + operation), true, w),
                                masks, 100);
}

// Masks and indices are registers 5 and 7; the element's places are spread around the end of a
// page.
class AvxElements : public ::testing::Test {
protected:
    FpValues values{9};

    void set(FpState& state, unsigned number, const auto& f) {
        for (auto* half : {&state.xmm[number], &state.ymm_high[number]})
            for (std::uint64_t& place : *half)
                place = f();
    }

    std::uint64_t mask(unsigned ones) {
        const auto word = [&]() -> std::uint64_t {
            return static_cast<std::uint32_t>(values.below(8) < ones ? values.bits() | 0x80000000
                                                                     : values.bits() & 0x7fffffff);
        };
        return word() | word() << 32;
    }

    std::array<std::uint8_t, FpComparison::memory_size> memory() {
        std::array<std::uint8_t, FpComparison::memory_size> bytes;
        for (std::uint8_t& byte : bytes)
            byte = static_cast<std::uint8_t>(values.bits());
        return bytes;
    }
};

TEST_F(AvxElements, MaskedMovesMatchTheProcessorAlsoAtTheEndOfMemory) {
    BACKPLANE_NEEDS_HOST(Avx2);
    unsigned faults = 0, executions = 0;
    for (const std::uint8_t byte : {0x2c, 0x2d, 0x2e, 0x2f, 0x8c, 0x8e})
        for (const bool w : {false, true})
            for (const bool ymm : {false, true}) {
                if (w && byte < 0x80) continue;
                FpComparison comparison(vex_code({.map = 2, .prefix = p66, .byte = byte, .w = w},
                                                 ymm, {1, 5, 0, true}));
                comparison.misalignment = FpComparison::at_page_end;
                for (int i = 0; i < 600; ++i) {
                    FpState state = values.state(Masks::AllSet, Tags::AllFull);
                    const auto ones = static_cast<unsigned>(values.below(9));
                    set(state, 5, [&] { return mask(ones); });
                    comparison.pointer_offset = static_cast<std::int64_t>(values.below(48)) +
                                                FpComparison::memory_size - 48;
                    ASSERT_EQ(comparison.difference(state, memory()), "");
                }
                faults += static_cast<unsigned>(comparison.faults);
                executions += static_cast<unsigned>(comparison.executions);
            }
    EXPECT_GT(faults, executions / 10);
    EXPECT_LT(faults, executions);
}

TEST_F(AvxElements, GathersMatchTheProcessorAlsoWhereAnElementFaults) {
    BACKPLANE_NEEDS_HOST(Avx2);
    unsigned faults = 0, executions = 0;
    for (const std::uint8_t byte : {0x90, 0x91, 0x92, 0x93})
        for (const bool w : {false, true})
            for (const bool ymm : {false, true})
                for (const unsigned scale : {0u, 1u, 2u, 3u}) {
                    Code code = vex_code({.map = 2, .prefix = p66, .byte = byte, .w = w}, ymm,
                                         {1, 5, 4});
                    code[4] = 0x4c;  // [rsi + index * scale + disp8]
                    code.push_back(static_cast<std::uint8_t>(scale << 6 | 7 << 3 | 6));
                    code.push_back(0xf8);
                    FpComparison comparison(code);
                    comparison.misalignment = FpComparison::at_page_end;
                    comparison.pointer_offset = FpComparison::memory_size - 200;
                    for (int i = 0; i < 200; ++i) {
                        FpState state = values.state(Masks::AllSet, Tags::AllFull);
                        const bool narrow = byte == 0x90 || byte == 0x92;
                        const std::int64_t reach = values.one_in(2) ? 190 : 215;
                        const auto index = [&] {
                            const auto offset = static_cast<std::int64_t>(values.below(800 + 200)) -
                                                800;
                            const auto place = (values.one_in(4) ? offset : reach) >> scale;
                            return static_cast<std::uint64_t>(place);
                        };
                        set(state, 7, [&] {
                            return narrow ? (index() & 0xffffffff) | index() << 32 : index();
                        });
                        const auto ones = static_cast<unsigned>(values.below(9));
                        set(state, 5, [&] { return mask(ones); });
                        ASSERT_EQ(comparison.difference(state, memory()), "") << i;
                    }
                    faults += static_cast<unsigned>(comparison.faults);
                    executions += static_cast<unsigned>(comparison.executions);
                }
    EXPECT_GT(faults, executions / 10);
    EXPECT_LT(faults, executions);
}

TEST_F(AvxElements, GathersOfTheSameRegisterTwiceDoNotExist) {
    const auto decodes = [&](unsigned destination, unsigned index, unsigned mask) {
        Code code = vex_code({.map = 2, .prefix = p66, .byte = 0x90}, true, {destination, mask, 4});
        code.push_back(static_cast<std::uint8_t>(index << 3 | 6));
        code[4] = static_cast<std::uint8_t>((destination & 7) << 3 | 4);
        Instruction instruction;
        Op op;
        return Decoder{}.decode(std::as_bytes(std::span{code}), CodeSize::Bits64, 0x1000,
                                instruction) == DecodeStatus::Complete &&
               floating_point_forms().bind(instruction, op);
    };
    EXPECT_TRUE(decodes(1, 2, 3));
    EXPECT_FALSE(decodes(1, 1, 3));
    EXPECT_FALSE(decodes(1, 2, 1));
    EXPECT_FALSE(decodes(1, 2, 2));
}

}  // namespace
}  // namespace backplane::x86::testing
