// Compares VEX-encoded instructions with the processor, in all their shapes.
#pragma once

#include "x86/fp_values.h"
#include "x86/host_features.h"
#include "x86/vex_encoding.h"

#include <gtest/gtest.h>

namespace backplane::x86::testing {

#define BACKPLANE_NEEDS_HOST(feature)                                                              \
    if (!host_features().has(Feature::feature)) GTEST_SKIP() << "the processor has no " #feature

enum Shapes : unsigned { WithRegisters = 1, WithMemory = 2, WithBoth = 3 };
enum Widths : unsigned { Xmm = 1, Ymm = 2, XmmAndYmm = 3 };

struct AvxCase {
    VexOpcode opcode;
    bool has_first_source = true;
    bool has_control = false;
    Widths widths = XmmAndYmm;
    Shapes shapes = WithBoth;
};

// Every width and shape with values of all kinds; memory is not aligned.
inline void compare_avx(const AvxCase& one, FpValues::Masks masks = FpValues::Masks::AllSet,
                        unsigned executions = 150) {
    static constexpr VexOperands all_operands[] = {{1, 2, 3},        {0, 0, 0}, {9, 12, 5},
                                                   {4, 4, 15},       {7, 3, 3}, {2, 6, 0, true},
                                                   {13, 13, 0, true}};
    FpValues values(one.opcode.byte + one.opcode.prefix * 256u + one.opcode.map * 1024u);
    for (const bool ymm : {false, true})
        for (VexOperands operands : all_operands) {
            if (!(one.widths & (ymm ? Ymm : Xmm))) continue;
            if (!(one.shapes & (operands.memory ? WithMemory : WithRegisters))) continue;
            if (!one.has_first_source) operands.first_source = 0;
            const unsigned controls = one.has_control ? 32 : 1;
            for (unsigned i = 0; i < controls; ++i) {
                const int control = one.has_control ? static_cast<int>(i * 8 + values.below(8))
                                                    : -1;
                FpComparison comparison(vex_code(one.opcode, ymm, operands, control));
                comparison.misalignment = 3;
                for (unsigned n = 0; n < executions / controls + 1; ++n)
                    ASSERT_EQ(comparison.difference(values.state(masks, FpValues::Tags::AllFull),
                                                    values.memory()),
                              "")
                        << "execution " << n;
            }
        }
}

}  // namespace backplane::x86::testing
