#include "x86/vector_comparison.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {

void check(const Opcode& opcode, Shape shapes, FpValues::Masks masks, unsigned executions) {
    SCOPED_TRACE(opcode.name);
    FpValues values(std::hash<std::string>{}(opcode.name));
    std::vector<std::uint8_t> operands;
    // xmm0, xmm1; xmm2, xmm2; xmm1, xmm7; memory at RSI.
    if (shapes & Registers) operands.insert(operands.end(), {0xc1, 0xd2, 0xcf});
    if (shapes & MemorySource) operands.insert(operands.end(), {0x06, 0x3e});
    const unsigned controls = opcode.controls ? opcode.controls : 1;
    for (const std::uint8_t modrm : operands)
        for (unsigned control = 0; control < controls; ++control) {
            Code code = opcode.bytes;
            code.push_back(modrm);
            // Fewer than all, and the bits below the step vary too.
            const unsigned spread = controls < 256 ? control % 7 : 0;
            if (opcode.controls)
                code.push_back(static_cast<std::uint8_t>(control * 256 / controls + spread));
            FpComparison comparison(code);
            for (unsigned i = 0; i < executions / controls + 1; ++i) {
                const auto difference = comparison.difference(
                    values.state(masks, FpValues::Tags::Random), values.memory());
                ASSERT_EQ(difference, "") << "execution " << i;
            }
        }
}

}  // namespace backplane::x86::testing
