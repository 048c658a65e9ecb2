// What the manuals leave undefined behind an instruction, so that it is not compared.
#pragma once

#include "case.h"

#include <cstdint>

namespace backplane::oracle {

struct Undefined {
    std::uint64_t flags = 0;
    std::uint16_t x87_status = 0;
    bool destination = false;  // all that the first operand receives
};

Undefined undefined_results(const Case& test, const x86::Instruction* instruction);

}  // namespace backplane::oracle
