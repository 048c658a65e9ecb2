// Fused multiply-add (SDM 2): one rounding, and exceptions as of one operation.
#pragma once

#include "x86/fma_inexact.h"
#include "x86/sse_execution.h"
#include "x86/vex_operand.h"

namespace backplane::x86::semantics {

// dst is a source too; the instruction's name says how the three are combined.
template <class Operation>
inline constexpr auto fused_multiply_add =
    avx<[](auto& m, auto dst, auto first_source, auto src) __attribute__((always_inline)) {
        const auto last = src.read(m);
        if (!last) return Outcome::Fault;
        const auto a = *dst.read(m);
        const auto b = *first_source.read(m);
        const auto c = zero_extend(*last);
        const auto result = execute_sse<Operation::tiny>(
            m,
            [=] [[gnu::always_inline]] {
                return for_each_half([](Bits128 x, Bits128 y, Bits128 z) __attribute__((
                                         always_inline)) { return Operation::compute(x, y, z); },
                                     a, b, c);
            },
            [=](std::uint32_t control) { return is_fused_inexact<Operation>(control, a, b, c); });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
