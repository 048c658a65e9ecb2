// The text of an instruction, for logs, traces and test failures.
#pragma once

#include "x86/instruction.h"

#include <string>

namespace backplane::x86 {

// Intel syntax; branch targets and RIP-relative addresses are absolute.
std::string disassemble(const Instruction& instruction);

}  // namespace backplane::x86
