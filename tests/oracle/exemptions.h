// The one table of what is not compared with the processor, why, and which test covers it instead.
#pragma once

#include "x86/instruction.h"

#include <cstdint>
#include <span>
#include <string_view>

namespace backplane::oracle {

struct Exemption {
    ZydisMnemonic mnemonic;
    // Executed as well, but user code can only see it refused.
    bool privileged;
    std::string_view reason, covered_by;
};

std::span<const Exemption> exemptions();

// Null: the instruction is compared in full.
const Exemption* exemption_of(const x86::Instruction& instruction);

// Whether the instruction may be executed on the host at all.
bool may_execute(const x86::Instruction& instruction);

// Likewise for bytes that our decoder refuses. False for those that a newer processor may know:
// EVEX, XOP, hints.
bool may_try_invalid(std::span<const std::uint8_t> bytes, x86::CodeSize size);

}  // namespace backplane::oracle
