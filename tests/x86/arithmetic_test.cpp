// Arithmetic and logic against the processor under the tests: registers, memory and all defined
// flags.
#include "x86/integer_fixture.h"

namespace backplane::x86::testing {
namespace {

TEST_F(Integer, AddComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_ADD); }
TEST_F(Integer, AdcComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_ADC); }
TEST_F(Integer, SubComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_SUB); }
TEST_F(Integer, SbbComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_SBB); }
TEST_F(Integer, CmpComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_CMP, false); }
TEST_F(Integer, AndComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_AND); }
TEST_F(Integer, OrComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_OR); }
TEST_F(Integer, XorComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_XOR); }
TEST_F(Integer, TestComputesAsTheProcessorDoes) { binary(ZYDIS_MNEMONIC_TEST, false); }
TEST_F(Integer, IncComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_INC); }
TEST_F(Integer, DecComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_DEC); }
TEST_F(Integer, NegComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_NEG); }
TEST_F(Integer, NotComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_NOT); }
TEST_F(Integer, MulComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_MUL, 200); }
TEST_F(Integer, DivComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_DIV, 200); }
TEST_F(Integer, IdivComputesAsTheProcessorDoes) { unary(ZYDIS_MNEMONIC_IDIV, 200); }
TEST_F(Integer, DivisionsThatFitDivide) {
    // Random pairs nearly always overflow, so the high half is kept small here.
    for (const ZydisMnemonic mnemonic : {ZYDIS_MNEMONIC_DIV, ZYDIS_MNEMONIC_IDIV})
        for (const unsigned width : widths)
            comparison.compare(encode(mnemonic, {reg(general(RBX, width))}), 3000,
                               [&](NativeState& state) {
                                   const bool negative = comparison.values.below(2);
                                   if (width == 8)
                                       state.gpr[RAX] = static_cast<std::uint64_t>(
                                           static_cast<std::int16_t>(comparison.values.below(512)) *
                                           (negative ? -1 : 1));
                                   else
                                       state.gpr[RDX] = comparison.values.below(3) - negative;
                               });
}

TEST_F(Integer, ImulOfTwoAndThreeOperandsComputesAsTheProcessorDoes) {
    for (const unsigned width : wide_widths)
        for (const auto target : registers(width))
            for (const auto source : registers(width)) {
                run(ZYDIS_MNEMONIC_IMUL, {reg(target), reg(source)}, 20);
                run(ZYDIS_MNEMONIC_IMUL, {reg(target), mem(indexed(width))}, 10);
                for (int i = 0; i < 4; ++i) {
                    run(ZYDIS_MNEMONIC_IMUL, {reg(target), reg(source), imm(immediate(width))}, 5);
                    run(ZYDIS_MNEMONIC_IMUL,
                        {reg(target), mem(indexed(width)), imm(immediate(width))}, 2);
                }
            }
    unary(ZYDIS_MNEMONIC_IMUL, 200);
}

}  // namespace
}  // namespace backplane::x86::testing
