// Shifts, rotates and bit instructions against the processor under the tests.
#include "x86/integer_fixture.h"

namespace backplane::x86::testing {
namespace {

TEST_F(Integer, ShlComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_SHL); }
TEST_F(Integer, ShrComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_SHR); }
TEST_F(Integer, SarComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_SAR); }
TEST_F(Integer, RolComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_ROL); }
TEST_F(Integer, RorComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_ROR); }
TEST_F(Integer, RclComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_RCL); }
TEST_F(Integer, RcrComputesAsTheProcessorDoes) { shift(ZYDIS_MNEMONIC_RCR); }
TEST_F(Integer, ShldComputesAsTheProcessorDoes) { double_shift(ZYDIS_MNEMONIC_SHLD); }
TEST_F(Integer, ShrdComputesAsTheProcessorDoes) { double_shift(ZYDIS_MNEMONIC_SHRD); }

TEST_F(Integer, BitTestsTakeTheOffsetModuloTheWidth) {
    for (const auto mnemonic :
         {ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTS, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC})
        for (const unsigned width : wide_widths)
            for (const auto name : registers(width)) {
                for (const auto index : registers(width))
                    run(mnemonic, {reg(name), reg(index)}, 20);
                for (const int bit : {0, 1, 15, 16, 31, 32, 63, 77, 127}) {
                    run(mnemonic, {reg(name), imm(bit)}, 4);
                    run(mnemonic, {mem(indexed(width)), imm(bit)}, 4);
                    run(mnemonic, {mem(indexed(width)), imm(bit)}, 2, ZYDIS_ATTRIB_HAS_LOCK);
                }
            }
}

TEST_F(Integer, BitTestsInMemoryReachBeyondTheOperand) {
    for (const auto mnemonic :
         {ZYDIS_MNEMONIC_BT, ZYDIS_MNEMONIC_BTS, ZYDIS_MNEMONIC_BTR, ZYDIS_MNEMONIC_BTC})
        for (const unsigned width : wide_widths) {
            const auto bytes = encode(mnemonic, {mem(indexed(width)), reg(general(RDX, width))});
            comparison.compare(bytes, 500, [&](NativeState& state) {
                prepare()(state);
                const auto bit = static_cast<std::int64_t>(comparison.values.below(1200)) - 600;
                std::memcpy(&state.gpr[RDX], &bit, width / 8);
            });
        }
}

TEST_F(Integer, BitScansKeepTheDestinationWhenTheSourceIsZero) {
    for (const auto mnemonic : {ZYDIS_MNEMONIC_BSF, ZYDIS_MNEMONIC_BSR})
        for (const unsigned width : wide_widths)
            for (const auto target : registers(width)) {
                for (const auto source : registers(width))
                    run(mnemonic, {reg(target), reg(source)}, 60);
                run(mnemonic, {reg(target), mem(indexed(width))}, 60);
            }
}

TEST_F(Integer, BswapReversesBytes) {
    for (const unsigned width : {32u, 64u})
        for (const auto name : registers(width))
            run(ZYDIS_MNEMONIC_BSWAP, {reg(name)}, 50);
}

}  // namespace
}  // namespace backplane::x86::testing
