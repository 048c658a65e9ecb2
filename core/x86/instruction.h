// One decoded instruction: what Zydis found in the bytes, with the place and the code size it was
// decoded for.
#pragma once

#include <Zydis/Zydis.h>

#include <array>
#include <cstdint>
#include <optional>

namespace backplane::x86 {

// The default operand and address size of the code segment (SDM 3A 3.4.5: CS.D and CS.L).
enum class CodeSize : std::uint8_t { Bits16, Bits32, Bits64 };

struct Instruction {
    ZydisDecodedInstruction decoded;
    std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operands;
    CodeSize code_size = CodeSize::Bits64;
    bool has_amd_operands = false;  // DecoderFeatures::amd_operands
    std::uint64_t ip = 0;           // RIP of the first byte
    // RIP of the first instruction of its block; set by who builds the block
    std::uint64_t block_ip = 0;

    ZydisMnemonic mnemonic() const { return decoded.mnemonic; }
    std::uint64_t next_ip() const { return ip + decoded.length; }
    bool is_code64() const { return code_size == CodeSize::Bits64; }
    bool has(ZydisInstructionAttributes attribute) const {
        return (decoded.attributes & attribute) != 0;
    }
    bool has_lock() const { return has(ZYDIS_ATTRIB_HAS_LOCK); }

    // The operand that ModRM or a memory offset addresses; null when the instruction has none.
    // Implied memory operands (stack, string and XLAT) are not meant: their semantics form the
    // address themselves.
    const ZydisDecodedOperand* memory_operand() const;
};

// Whether control does not simply go on behind the instruction, so that a block has to end with it.
bool ends_block(const Instruction& instruction);

// Where a relative jump, call or loop goes when it is taken.
std::optional<std::uint64_t> branch_target(const Instruction& instruction);

}  // namespace backplane::x86
