// The decoder's answers and what the block builder asks of an instruction.
#include "x86/decoder.h"
#include "x86/disassembler.h"
#include "x86/forms/operands.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane::x86 {
namespace {

DecodeStatus decode(const std::vector<std::uint8_t>& bytes, Instruction& instruction,
                    CodeSize size = CodeSize::Bits64, DecoderFeatures features = {}) {
    return Decoder{features}.decode(std::as_bytes(std::span{bytes}), size, 0x1000, instruction);
}

Instruction decoded(const std::vector<std::uint8_t>& bytes, CodeSize size = CodeSize::Bits64,
                    DecoderFeatures features = {}) {
    Instruction instruction;
    EXPECT_EQ(decode(bytes, instruction, size, features), DecodeStatus::Complete);
    return instruction;
}

TEST(Decoder, AsksForMoreBytesInTheMiddleOfAnInstruction) {
    Instruction instruction;
    const std::vector<std::uint8_t> bytes = {0x48, 0x81, 0x84, 0x8b, 1, 2, 3, 4, 5, 6, 7, 8};
    for (std::size_t length = 0; length < bytes.size(); ++length)
        EXPECT_EQ(decode({bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length)},
                         instruction),
                  DecodeStatus::NeedsMoreBytes);
    EXPECT_EQ(decode(bytes, instruction), DecodeStatus::Complete);
    EXPECT_EQ(instruction.next_ip(), 0x100cu);
}

TEST(Decoder, RefusesInstructionsOfMoreThanFifteenBytes) {
    Instruction instruction;
    EXPECT_EQ(decode(std::vector<std::uint8_t>(14, 0x66), instruction),
              DecodeStatus::NeedsMoreBytes);
    std::vector<std::uint8_t> bytes(14, 0x66);
    bytes.push_back(0x90);
    EXPECT_EQ(decode(bytes, instruction), DecodeStatus::Complete);
    bytes.insert(bytes.begin(), 0x66);
    EXPECT_EQ(decode(bytes, instruction), DecodeStatus::TooLong);
    bytes.resize(40, 0x66);
    EXPECT_EQ(decode(bytes, instruction), DecodeStatus::TooLong);
}

TEST(Decoder, RefusesWhatTheCodeSizeLacks) {
    Instruction instruction;
    EXPECT_EQ(decode({0x27}, instruction), DecodeStatus::Invalid);  // DAA
    EXPECT_EQ(decode({0x27}, instruction, CodeSize::Bits32), DecodeStatus::Complete);
    EXPECT_EQ(decode({0x60}, instruction), DecodeStatus::Invalid);  // PUSHA
}

TEST(Decoder, RefusesLockWithoutAMemoryDestination) {
    Instruction instruction;
    EXPECT_EQ(decode({0xf0, 0x01, 0xc0}, instruction), DecodeStatus::Invalid);
    EXPECT_EQ(decode({0xf0, 0x39, 0x03}, instruction), DecodeStatus::Invalid);
    EXPECT_EQ(decode({0xf0, 0x8b, 0x03}, instruction), DecodeStatus::Invalid);
    EXPECT_EQ(decode({0xf0, 0x01, 0x03}, instruction), DecodeStatus::Complete);
}

TEST(Decoder, ReadsBitCountsByFeature) {
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xbd, 0xc0}).mnemonic(), ZYDIS_MNEMONIC_BSR);
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xbc, 0xc0}).mnemonic(), ZYDIS_MNEMONIC_BSF);
    const DecoderFeatures features{.lzcnt = true, .bmi1 = true};
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xbd, 0xc0}, CodeSize::Bits64, features).mnemonic(),
              ZYDIS_MNEMONIC_LZCNT);
    EXPECT_EQ(decoded({0xf3, 0x0f, 0xbc, 0xc0}, CodeSize::Bits64, features).mnemonic(),
              ZYDIS_MNEMONIC_TZCNT);
}

TEST(Decoder, TakesReservedHintsForNoOperations) {
    EXPECT_EQ(decoded({0xf3, 0x0f, 0x1e, 0xfa}).mnemonic(), ZYDIS_MNEMONIC_NOP);        // ENDBR64
    EXPECT_EQ(decoded({0xf3, 0x48, 0x0f, 0x1e, 0xc8}).mnemonic(), ZYDIS_MNEMONIC_NOP);  // RDSSPQ
    EXPECT_EQ(decoded({0x0f, 0x1c, 0x00}).mnemonic(), ZYDIS_MNEMONIC_NOP);              // CLDEMOTE
}

TEST(Instructions, TellTheirBranchTargets) {
    EXPECT_EQ(branch_target(decoded({0xeb, 0xfe})), 0x1000u);
    EXPECT_EQ(branch_target(decoded({0xe8, 0x00, 0x01, 0x00, 0x00})), 0x1105u);
    EXPECT_EQ(branch_target(decoded({0xe9, 0x00, 0xf0}, CodeSize::Bits16)), 0x0003u);
    EXPECT_EQ(branch_target(decoded({0xff, 0xe0})), std::nullopt);
    EXPECT_EQ(branch_target(decoded({0xc3})), std::nullopt);
    EXPECT_EQ(branch_target(decoded({0x83, 0xc0, 0x01})), std::nullopt);
}

TEST(Instructions, KnowWhetherTheyEndABlock) {
    const std::vector<std::uint8_t> ending[] = {
        {0xeb, 0xfe}, {0x74, 0x00}, {0xe2, 0x00}, {0xe8, 0, 0, 0, 0}, {0xc3},       {0xff, 0xe0},
        {0xcc},       {0x0f, 0x05}, {0xf4},       {0x48, 0xcf},       {0x0f, 0x0b}, {0xcd, 0x80},
        {0xff, 0x28}};
    for (const auto& bytes : ending)
        EXPECT_TRUE(ends_block(decoded(bytes))) << disassemble(decoded(bytes));
    const std::vector<std::uint8_t> continuing[] = {
        {0x90}, {0xf3, 0xa4}, {0x01, 0xd8}, {0x50}, {0x0f, 0xa2}};
    for (const auto& bytes : continuing)
        EXPECT_FALSE(ends_block(decoded(bytes))) << disassemble(decoded(bytes));
}

TEST(Instructions, NameRegistersByTheirPlaceInTheState) {
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_AL), 0);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_AH), 1);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_BH), 25);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_SPL), 32);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_DIL), 56);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_R15B), 120);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_R8D), 64);
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_RIP), offsetof(CpuState, block_ip));
    EXPECT_EQ(forms::register_offset(ZYDIS_REGISTER_NONE), offsetof(CpuState, zero));
}

TEST(Instructions, NeedAnAddressOpForMoreThanAPlainAddress) {
    const auto needs = [](const std::vector<std::uint8_t>& bytes,
                          CodeSize size = CodeSize::Bits64) {
        return forms::needs_address_op(decoded(bytes, size));
    };
    EXPECT_FALSE(needs({0x8b, 0x03}));
    EXPECT_FALSE(needs({0x8b, 0x05, 1, 2, 3, 4}));
    EXPECT_FALSE(needs({0x01, 0xd8}));
    EXPECT_FALSE(needs({0x65, 0x48, 0x8d, 0x03}));  // LEA has no segment
    EXPECT_FALSE(needs({0x2e, 0x8b, 0x03}));        // CS has no base in 64-bit code
    EXPECT_TRUE(needs({0x65, 0x8b, 0x03}));
    EXPECT_TRUE(needs({0x67, 0x8b, 0x03}));
    EXPECT_TRUE(needs({0x0f, 0xab, 0x03}));              // BTS m, r
    EXPECT_TRUE(needs({0xa1, 0, 0, 0, 0, 1, 0, 0, 0}));  // an offset of more than 32 bits
    EXPECT_TRUE(needs({0x8b, 0x03}, CodeSize::Bits32));
    EXPECT_FALSE(needs({0xf3, 0xa4}, CodeSize::Bits32));
    EXPECT_FALSE(needs({0x0f, 0x1f, 0x00}, CodeSize::Bits32));
}

}  // namespace
}  // namespace backplane::x86
