// What the manuals leave undefined behind an instruction, so that it is not compared.
#pragma once

#include "case.h"

#include <cstdint>

namespace backplane::oracle {

struct Undefined {
    std::uint64_t flags = 0;
    std::uint16_t x87_status = 0;
    // The image of FXSAVE and XSAVE: its MXCSR_MASK tells the processor's MXCSR, whose bit 17 is
    // AMD's misaligned mode.
    bool mxcsr_mask = false;
    bool destination = false;  // all that the first operand receives
};

Undefined undefined_results(const Case& test, const x86::Instruction* instruction);

}  // namespace backplane::oracle
