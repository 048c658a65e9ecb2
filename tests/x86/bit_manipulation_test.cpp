// BMI1, BMI2, ADX, LZCNT, POPCNT, MOVBE and CRC32 against the processor under the tests.
#include "x86/integer_fixture.h"

namespace backplane::x86::testing {
namespace {

// Without the feature the processor under the tests takes the bytes for something else.
#define BACKPLANE_REQUIRES(feature)                                                                \
    if (!__builtin_cpu_supports(feature)) GTEST_SKIP() << "this processor has no " feature

class BitManipulation : public Integer {
protected:
    static constexpr unsigned vex_widths[] = {32, 64};

    // A register from a register or memory.
    void counting(ZydisMnemonic mnemonic) {
        for (const unsigned width : wide_widths)
            for (const auto target : registers(width)) {
                for (const auto source : registers(width))
                    run(mnemonic, {reg(target), reg(source)}, 20);
                run(mnemonic, {reg(target), mem(indexed(width))}, 40);
            }
    }

    void vex_unary(ZydisMnemonic mnemonic) {
        for (const unsigned width : vex_widths)
            for (const auto target : registers(width)) {
                for (const auto source : registers(width))
                    run(mnemonic, {reg(target), reg(source)}, 20);
                run(mnemonic, {reg(target), mem(indexed(width))}, 40);
            }
    }

    enum class MemoryIs : std::uint8_t { Second, Third };

    void vex_binary(ZydisMnemonic mnemonic, MemoryIs memory) {
        for (const unsigned width : vex_widths)
            for (const auto target : registers(width))
                for (const auto second : registers(width)) {
                    for (const auto third : registers(width))
                        run(mnemonic, {reg(target), reg(second), reg(third)}, 8);
                    if (memory == MemoryIs::Third)
                        run(mnemonic, {reg(target), reg(second), mem(indexed(width))}, 16);
                    else
                        run(mnemonic, {reg(target), mem(indexed(width)), reg(second)}, 16);
                }
    }

    // The same with a control word that is often within the operand.
    void with_small_control(ZydisMnemonic mnemonic, std::uint64_t limit) {
        for (const unsigned width : vex_widths)
            comparison.compare(encode(mnemonic, {reg(general(RDI, width)), reg(general(RBX, width)),
                                                 reg(general(RDX, width))}),
                               3000, [&](NativeState& state) {
                                   state.gpr[RDX] = comparison.values.below(limit) |
                                                    comparison.values.below(limit) << 8 |
                                                    comparison.values() << 32;
                               });
    }
};

TEST_F(BitManipulation, PopcntCounts) {
    BACKPLANE_REQUIRES("popcnt");
    counting(ZYDIS_MNEMONIC_POPCNT);
}

TEST_F(BitManipulation, LzcntCounts) {
    BACKPLANE_REQUIRES("lzcnt");
    counting(ZYDIS_MNEMONIC_LZCNT);
}

TEST_F(BitManipulation, TzcntCounts) {
    BACKPLANE_REQUIRES("bmi");
    counting(ZYDIS_MNEMONIC_TZCNT);
}

TEST_F(BitManipulation, LowestSetBitsAreFound) {
    BACKPLANE_REQUIRES("bmi");
    for (const auto mnemonic : {ZYDIS_MNEMONIC_BLSI, ZYDIS_MNEMONIC_BLSMSK, ZYDIS_MNEMONIC_BLSR})
        vex_unary(mnemonic);
}

TEST_F(BitManipulation, AndnInvertsTheFirstSource) {
    BACKPLANE_REQUIRES("bmi");
    vex_binary(ZYDIS_MNEMONIC_ANDN, MemoryIs::Third);
}

TEST_F(BitManipulation, BextrTakesAFieldOut) {
    BACKPLANE_REQUIRES("bmi");
    vex_binary(ZYDIS_MNEMONIC_BEXTR, MemoryIs::Second);
    with_small_control(ZYDIS_MNEMONIC_BEXTR, 70);
}

TEST_F(BitManipulation, BzhiClearsHighBits) {
    BACKPLANE_REQUIRES("bmi2");
    vex_binary(ZYDIS_MNEMONIC_BZHI, MemoryIs::Second);
    with_small_control(ZYDIS_MNEMONIC_BZHI, 70);
}

TEST_F(BitManipulation, MulxMultipliesByTheDataRegister) {
    BACKPLANE_REQUIRES("bmi2");
    vex_binary(ZYDIS_MNEMONIC_MULX, MemoryIs::Third);
}

TEST_F(BitManipulation, BitsAreDepositedAndExtracted) {
    BACKPLANE_REQUIRES("bmi2");
    vex_binary(ZYDIS_MNEMONIC_PDEP, MemoryIs::Third);
    vex_binary(ZYDIS_MNEMONIC_PEXT, MemoryIs::Third);
}

TEST_F(BitManipulation, ShiftsWithoutFlagsTakeTheirCountFromAnyRegister) {
    BACKPLANE_REQUIRES("bmi2");
    for (const auto mnemonic : {ZYDIS_MNEMONIC_SARX, ZYDIS_MNEMONIC_SHLX, ZYDIS_MNEMONIC_SHRX})
        vex_binary(mnemonic, MemoryIs::Second);
    for (const unsigned width : vex_widths)
        for (const auto target : registers(width))
            for (int count = 0; count < 66; ++count) {
                run(ZYDIS_MNEMONIC_RORX, {reg(target), reg(general(RSI, width)), imm(count)}, 3);
                run(ZYDIS_MNEMONIC_RORX, {reg(target), mem(indexed(width)), imm(count)}, 3);
            }
}

TEST_F(BitManipulation, TwoCarryChainsAreKeptApart) {
    BACKPLANE_REQUIRES("adx");
    vex_unary(ZYDIS_MNEMONIC_ADCX);
    vex_unary(ZYDIS_MNEMONIC_ADOX);
}

TEST_F(BitManipulation, MovbeReversesBytes) {
    BACKPLANE_REQUIRES("movbe");
    for (const unsigned width : wide_widths)
        for (const auto name : registers(width)) {
            run(ZYDIS_MNEMONIC_MOVBE, {reg(name), mem(indexed(width))}, 20);
            run(ZYDIS_MNEMONIC_MOVBE, {mem(indexed(width)), reg(name)}, 20);
        }
}

TEST_F(BitManipulation, Crc32AddsBytesOfAnyWidth) {
    BACKPLANE_REQUIRES("sse4.2");
    for (const unsigned to : vex_widths)
        for (const unsigned from : widths)
            for (const auto target : registers(to)) {
                for (const auto source : registers(from))
                    run(ZYDIS_MNEMONIC_CRC32, {reg(target), reg(source)}, 10);
                run(ZYDIS_MNEMONIC_CRC32, {reg(target), mem(indexed(from))}, 10);
            }
    // Half of the combinations, 32-bit destinations of 64-bit data and the reverse, do not exist.
    EXPECT_GT(encoded, 150u);
    unencodable = 0;
}

TEST_F(BitManipulation, In32BitCodeTheWidthBitIsIgnored) {
    BACKPLANE_REQUIRES("bmi2");
    if (!NativeProcessor::instance().has_code32())
        GTEST_SKIP() << "this kernel has no 32-bit code segment";
    const std::vector<std::uint8_t> instructions[] = {
        {0xc4, 0xe2, 0x63, 0xf6, 0xc2},        // mulx eax, ebx, edx
        {0xc4, 0xe2, 0xe3, 0xf6, 0xc2},        // with W
        {0xc4, 0xe2, 0x60, 0xf2, 0xc2},        // andn
        {0xc4, 0xe2, 0xe0, 0xf2, 0xc2},        // with W
        {0xc4, 0xe2, 0xf8, 0xf3, 0xda},        // blsi
        {0xc4, 0xe2, 0x68, 0xf7, 0xc3},        // bextr
        {0xc4, 0xe2, 0x6b, 0xf5, 0xc3},        // pdep
        {0xc4, 0xe2, 0x6a, 0xf5, 0xc3},        // pext
        {0xc4, 0xe3, 0xfb, 0xf0, 0xc3, 0x25},  // rorx
        {0xc4, 0xe2, 0x69, 0xf7, 0xc3},        // shlx
        {0x66, 0x0f, 0x38, 0xf6, 0xc3},        // adcx
        {0xf3, 0x0f, 0x38, 0xf6, 0xc3},        // adox
        {0xf2, 0x0f, 0x38, 0xf1, 0xc3},        // crc32
        {0xf3, 0x0f, 0xb8, 0xc3},              // popcnt
    };
    for (const auto& bytes : instructions)
        comparison.compare(bytes, 500, {}, NativeComparison::Code::Bits32);
}

TEST_F(BitManipulation, BoundComparesSigned) {
    if (!NativeProcessor::instance().has_code32())
        GTEST_SKIP() << "this kernel has no 32-bit code segment";
    for (const auto& bytes : {std::vector<std::uint8_t>{0x62, 0x03}, {0x66, 0x62, 0x03}})
        comparison.compare(
            bytes, 3000, [&](NativeState& state) { state.gpr[RBX] = comparison.middle(); },
            NativeComparison::Code::Bits32);
}

}  // namespace
}  // namespace backplane::x86::testing
