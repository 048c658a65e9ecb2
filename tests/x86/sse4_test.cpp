// SSE3, SSSE3, SSE4.1 and SSE4A against the processor; string comparisons and cryptography have
// files of their own.
#include "x86/vector_comparison.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {
namespace {

using Masks = FpValues::Masks;
using Tags = FpValues::Tags;

// 0F 38 xx and 0F 3A xx, with a 66 prefix or without.
Code map38(std::uint8_t byte) { return {0x66, 0x0f, 0x38, byte}; }
Code map3a(std::uint8_t byte) { return {0x66, 0x0f, 0x3a, byte}; }

void check_integer(const Opcode& opcode, Shape shapes = Both) {
    check(opcode, shapes, Masks::AllSet, executions);
}

TEST(Ssse3, MatchesTheProcessorInBothRegisterFiles) {
    static constexpr std::uint8_t both[] = {0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
                                            0x08, 0x09, 0x0a, 0x0b, 0x1c, 0x1d, 0x1e};
    for (const std::uint8_t byte : both) {
        const std::string name = hex(std::span{&byte, 1});
        check_integer({name.c_str(), map38(byte)});
        check_integer({name.c_str(), {0x0f, 0x38, byte}});
    }
    check_integer({"palignr", map3a(0x0f), 256});
    check_integer({"palignr mmx", {0x0f, 0x3a, 0x0f}, 256});
}

TEST(Sse3, MovesMatchTheProcessor) {
    check_integer({"movddup", {0xf2, 0x0f, 0x12}});
    check_integer({"movsldup", {0xf3, 0x0f, 0x12}});
    check_integer({"movshdup", {0xf3, 0x0f, 0x16}});
    check_integer({"lddqu", {0xf2, 0x0f, 0xf0}}, MemorySource);
}

TEST(Sse41, IntegerInstructionsMatchTheProcessor) {
    static constexpr std::uint8_t lanewise[] = {
        0x10, 0x14, 0x15, 0x17, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x28, 0x29, 0x2b, 0x30, 0x31,
        0x32, 0x33, 0x34, 0x35, 0x37, 0x38, 0x39, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x40, 0x41};
    for (const std::uint8_t byte : lanewise) {
        const std::string name = hex(std::span{&byte, 1});
        check_integer({name.c_str(), map38(byte)});
    }
    check_integer({"movntdqa", map38(0x2a)}, MemorySource);
    check_integer({"blendps", map3a(0x0c), 256});
    check_integer({"blendpd", map3a(0x0d), 256});
    check_integer({"pblendw", map3a(0x0e), 256});
    check_integer({"mpsadbw", map3a(0x42), 256});
}

TEST(Sse41, ElementMovesMatchTheProcessor) {
    for (const std::uint8_t byte : {0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x22}) {
        const std::string name = hex(std::span{&byte, 1});
        check_integer({name.c_str(), map3a(byte), 256});
        check_integer({name.c_str(), {0x66, 0x48, 0x0f, 0x3a, byte}, 256});
    }
}

std::vector<Opcode> float_opcodes() {
    std::vector<Opcode> list;
    for (const std::uint8_t byte : {0x7c, 0x7d, 0xd0}) {
        list.push_back({"pd of neighbours", {0x66, 0x0f, byte}});
        list.push_back({"ps of neighbours", {0xf2, 0x0f, byte}});
    }
    for (const std::uint8_t byte : {0x08, 0x09, 0x0a, 0x0b})
        list.push_back({"round", map3a(byte), 256});
    list.push_back({"dpps", map3a(0x40), 256});
    list.push_back({"dppd", map3a(0x41), 256});
    return list;
}

TEST(Sse4Float, MatchesTheProcessorWithExceptionsMasked) {
    for (const Opcode& opcode : float_opcodes())
        check(opcode, Both, Masks::AllSet, 10 * executions);
}

TEST(Sse4Float, MatchesTheProcessorWithExceptionsUnmasked) {
    for (const Opcode& opcode : float_opcodes())
        check(opcode, Both, Masks::Random, 10 * executions);
}

TEST(Fisttp, MatchesTheProcessor) {
    for (const Code& code : {Code{0xdb, 0x0e}, Code{0xdd, 0x0e}, Code{0xdf, 0x0e}})
        for (const Masks masks : {Masks::AllSet, Masks::Random})
            for (const Tags tags : {Tags::AllFull, Tags::Random}) {
                FpValues values(code.front());
                FpComparison comparison(code);
                for (int i = 0; i < 3000; ++i)
                    ASSERT_EQ(comparison.difference(values.state(masks, tags), values.memory()),
                              "");
            }
}

TEST(Sse4a, BitFieldsMatchTheProcessor) {
    check_integer({"extrq", {0x66, 0x0f, 0x79}}, Registers);
    check_integer({"insertq", {0xf2, 0x0f, 0x79}}, Registers);
    FpValues values(5);
    for (int i = 0; i < 4000; ++i) {
        const auto length = static_cast<std::uint8_t>(values.bits());
        const auto position = static_cast<std::uint8_t>(values.bits());
        for (const Code& code : {Code{0x66, 0x0f, 0x78, 0xc3, length, position},
                                 Code{0xf2, 0x0f, 0x78, 0xca, length, position}}) {
            FpComparison comparison(code);
            ASSERT_EQ(
                comparison.difference(values.state(Masks::AllSet, Tags::Random), values.memory()),
                "");
        }
    }
}

TEST(Sse4a, StoresMatchTheProcessor) {
    check_integer({"movntss", {0xf3, 0x0f, 0x2b}}, MemorySource);
    check_integer({"movntsd", {0xf2, 0x0f, 0x2b}}, MemorySource);
}

// What an instruction of these families does with memory off its alignment.
void check_misaligned(const Code& code, bool faults) {
    FpValues values(6);
    FpComparison comparison(code);
    comparison.misalignment = 8;
    ASSERT_EQ(comparison.difference(values.state(Masks::AllSet, Tags::AllFull), values.memory()),
              "");
    EXPECT_EQ(comparison.faults, faults) << hex(code);
}

TEST(Sse4, AlignedFormsFaultWhereTheProcessorDoes) {
    for (const std::uint8_t byte : {0x00, 0x04, 0x0b, 0x10, 0x14, 0x17, 0x1c, 0x28, 0x29, 0x2a,
                                    0x2b, 0x38, 0x40, 0x41, 0xdb, 0xdc})
        check_misaligned({0x66, 0x0f, 0x38, byte, 0x06}, true);
    for (const std::uint8_t byte :
         {0x08, 0x09, 0x0c, 0x0d, 0x0e, 0x0f, 0x40, 0x41, 0x42, 0x44, 0xdf})
        check_misaligned({0x66, 0x0f, 0x3a, byte, 0x06, 0x11}, true);
    for (const Code& code : {Code{0xf3, 0x0f, 0x12, 0x06}, Code{0xf3, 0x0f, 0x16, 0x06},
                             Code{0x66, 0x0f, 0x7c, 0x06}, Code{0xf2, 0x0f, 0xd0, 0x06}})
        check_misaligned(code, true);
}

// SHA is of those on AMD's processors, and would not be on others.
TEST(Sse4, OtherFormsDoNot) {
    for (const std::uint8_t byte : {0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x30, 0x35}) {
        FpValues values(7);
        FpComparison comparison({0x66, 0x0f, 0x38, byte, 0x06});
        comparison.misalignment = 3;
        ASSERT_EQ(
            comparison.difference(values.state(Masks::AllSet, Tags::AllFull), values.memory()), "");
    }
    for (const std::uint8_t byte :
         {0x0a, 0x0b, 0x14, 0x15, 0x16, 0x17, 0x20, 0x21, 0x22, 0x60, 0x61, 0x62, 0x63})
        check_misaligned({0x66, 0x0f, 0x3a, byte, 0x06, 0x11}, false);
    for (const Code& code :
         {Code{0xf2, 0x0f, 0xf0, 0x06}, Code{0xf2, 0x0f, 0x12, 0x06}, Code{0x0f, 0x38, 0x00, 0x06},
          Code{0x0f, 0x3a, 0x0f, 0x06, 0x03}, Code{0x0f, 0x38, 0xcb, 0x06},
          Code{0x0f, 0x38, 0xc8, 0x06}, Code{0x0f, 0x3a, 0xcc, 0x06, 0x01}})
        check_misaligned(code, false);
}

}  // namespace
}  // namespace backplane::x86::testing
