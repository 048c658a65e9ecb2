// Turns instruction bytes into Instruction for the three code sizes.
#pragma once

#include "x86/instruction.h"

#include <cstddef>
#include <span>

namespace backplane::x86 {

// Processor features that change what bytes mean: without them the encoding is an older instruction
// with a prefix that is ignored (SDM 2, LZCNT and TZCNT).
struct DecoderFeatures {
    bool lzcnt = false;  // otherwise F3 0F BD is BSR
    bool bmi1 = false;   // otherwise F3 0F BC is BSF
    // In 64-bit code AMD processors obey operand-size prefixes of near branches, which become 16
    // bits wide, and have no far pointers with offsets of 64 bits (APM 3, JMP; Zen does so). A
    // 16-bit MOVSXD reads all of its doubleword in memory.
    bool amd_operands = false;
};

enum class DecodeStatus : std::uint8_t {
    Complete,
    NeedsMoreBytes,  // the bytes end inside the instruction: fetch on, which may fault
    TooLong,         // longer than 15 bytes: #GP(0) (SDM 2 2.3.11)
    Invalid,         // #UD
};

class Decoder {
public:
    static constexpr std::size_t max_length = ZYDIS_MAX_INSTRUCTION_LENGTH;

    explicit Decoder(DecoderFeatures features = {});

    // Fills `instruction` when the answer is Complete, with block_ip equal to ip.
    DecodeStatus decode(std::span<const std::byte> bytes, CodeSize code_size, std::uint64_t ip,
                        Instruction& instruction) const;

private:
    DecodeStatus decode_exchange(std::span<const std::byte> bytes, std::uint64_t ip,
                                 Instruction& instruction) const;

    std::array<ZydisDecoder, 3> decoders_;  // by CodeSize
    bool has_amd_operands_;
};

}  // namespace backplane::x86
