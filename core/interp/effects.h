// What an instruction does to general registers and flags, for the block builder, which looks for
// results that nobody reads or that the next instruction needs.
#pragma once

#include "interp/engine.h"
#include "x86/instruction.h"

#include <cstdint>

namespace backplane::interp {

enum class FlagUse : std::uint8_t {
    Reads,     // and perhaps writes
    Leaves,    // all as they are
    Changes,   // some, or not always
    Replaces,  // all six, always
};

struct Effects {
    // Of these instructions everything below is known; of others nothing.
    bool is_known = false;
    // It reads and writes nothing but general registers and arithmetic flags: it does not fault,
    // and the block is not left in front of it or behind it.
    bool is_harmless = false;
    FlagUse flags = FlagUse::Reads;
    // What `last` is certain to be behind it, if its handler leaves just that.
    Left leaves = Left::None;
    std::uint16_t written = 0;  // general registers of which it writes any part
};

Effects effects_of(const x86::Instruction& instruction);

}  // namespace backplane::interp
