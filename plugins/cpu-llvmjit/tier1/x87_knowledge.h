// What the translator knows of the x87 unit at a place in a block.
//
// The last instruction and the last memory operand (FOP, FIP, FDP and their selectors) are noted
// where a block ends and where it is left, and not by each instruction; the operand's address is
// made again there, or in front of the instruction that changes a register it is made of.
#pragma once

#include <Zydis/Zydis.h>

#include <cstdint>
#include <optional>

namespace backplane::jit {

struct X87Knowledge {
    // What is not noted yet.
    struct LastInstruction {
        std::uint16_t opcode;  // as FOP has it
        std::uint32_t offset;  // in its page
    };
    struct LastOperand {
        ZydisDecodedOperand operand;
        std::uint8_t address_width;
        std::uint32_t next_offset;  // of the instruction behind it, in the page
    };

    bool live = false;  // the unit is the guest's (Core::Compiled::x87)
    std::optional<LastInstruction> instruction;
    std::optional<LastOperand> operand;
};

}  // namespace backplane::jit
