// Builds VEX encodings for tests (SDM 2 2.3.5).
#pragma once

#include "x86/fp_comparison.h"

namespace backplane::x86::testing {

struct VexOpcode {
    unsigned map = 1;     // 1: 0F, 2: 0F 38, 3: 0F 3A
    unsigned prefix = 0;  // 0: none, 1: 66, 2: F3, 3: F2
    std::uint8_t byte = 0;
    bool w = false;
};

// ModRM's rm names a register, or memory at RSI.
struct VexOperands {
    unsigned reg = 0, first_source = 0, rm = 0;
    bool memory = false;
};

// `control` follows when it is not negative.
inline Code vex_code(const VexOpcode& opcode, bool ymm, const VexOperands& operands,
                     int control = -1) {
    const unsigned r = operands.reg < 8 ? 0x80 : 0, x = 0x40;
    const unsigned b = operands.memory || operands.rm < 8 ? 0x20 : 0;
    const unsigned vvvv = ~operands.first_source & 15;
    const unsigned modrm = (operands.reg & 7) << 3 |
                           (operands.memory ? 6u : 0xc0u | (operands.rm & 7));
    Code code;
    for (const unsigned byte :
         {0xc4u, r | x | b | opcode.map,
          (opcode.w ? 0x80u : 0u) | vvvv << 3 | (ymm ? 4u : 0u) | opcode.prefix,
          unsigned{opcode.byte}, modrm})
        code.push_back(static_cast<std::uint8_t>(byte));
    if (control >= 0) code.push_back(static_cast<std::uint8_t>(control));
    return code;
}

}  // namespace backplane::x86::testing
