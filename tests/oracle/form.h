// What coverage counts: a mnemonic with the kinds of its operands in one encoding and code size.
#pragma once

#include "x86/instruction.h"

#include <cstdint>
#include <string>

namespace backplane::oracle {

// Equal for instructions of the same form.
std::uint64_t form_key(const x86::Instruction& instruction);

// "LOCK ADD m32, r32 (legacy 01)"
std::string form_text(const x86::Instruction& instruction);

}  // namespace backplane::oracle
