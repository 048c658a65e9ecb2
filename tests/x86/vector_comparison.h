// Compares vector instructions with the processor over register and memory operands and control
// bytes.
#pragma once

#include "x86/fp_values.h"

namespace backplane::x86::testing {

struct Opcode {
    const char* name;
    Code bytes;             // up to the ModRM byte
    unsigned controls = 0;  // how many control bytes to try behind it; 0: there is none
};

enum Shape : unsigned { Registers = 1, MemorySource = 2, Both = 3 };

constexpr unsigned executions = 400;

// Both shapes of operands, `executions` times over the control bytes; at least once for each.
void check(const Opcode& opcode, Shape shapes, FpValues::Masks masks, unsigned executions);

}  // namespace backplane::x86::testing
