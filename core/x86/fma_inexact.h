// Whether a fused multiply-add is inexact when overflow or underflow is unmasked; see
// sse_inexact.h.
//
// Its product has too many bits for the x87 unit. Instead the operation itself is executed on
// operands near 1: scaling by powers of two changes exponents and no rounding.
#pragma once

#include "x86/host_fma.h"
#include "x86/sse_inexact.h"

#include <array>
#include <cstdlib>

namespace backplane::x86 {

namespace inexactness {

// A number as 1.fraction and a power of two; zero stays zero.
template <class Integer>
struct Scaled {
    static constexpr unsigned fraction_bits = Format<Integer>::fraction_bits;
    static constexpr int bias = Format<Integer>::exponent_bias;
    static constexpr Integer one = Integer{1} << fraction_bits;

    Integer sign, fraction;
    int exponent = 0;
    bool is_zero, is_finite;

    explicit Scaled(Integer bits)
        : sign{static_cast<Integer>(bits & Integer{1} << (8 * sizeof(Integer) - 1))},
          fraction{static_cast<Integer>(bits & (one - 1))} {
        const auto biased = static_cast<int>((bits ^ sign) >> fraction_bits);
        is_zero = biased == 0 && fraction == 0;
        is_finite = biased != 2 * bias + 1;
        exponent = biased ? biased - bias : 1 - bias;
        if (biased || is_zero) return;
        while (!(fraction & one)) {
            fraction <<= 1;
            --exponent;
        }
        fraction &= one - 1;
    }

    // With another exponent, within the format's range.
    Integer with_exponent(int value) const {
        return is_zero ? sign
                       : sign | static_cast<Integer>(value + bias) << fraction_bits | fraction;
    }
};

// What PE becomes for one lane, of operands in the order of the instruction's.
template <class Operation, class Integer>
bool is_fused_lane_inexact(std::array<Integer, 3> operands, int lane, std::uint32_t control) {
    using Number = Scaled<Integer>;
    constexpr unsigned addend = Operation::addend;
    const auto number = [&](unsigned i) {
        return Number(flush_denormal(operands[i % 3], control));
    };
    const Number a = number(addend + 1), b = number(addend + 2), c = number(addend);
    if (!a.is_finite || !b.is_finite || !c.is_finite) return false;
    const bool only_addend = a.is_zero || b.is_zero;
    const int scale = only_addend ? c.exponent : a.exponent + b.exponent;
    const int distance = c.is_zero ? 0 : c.exponent - scale;
    // So far apart that the smaller one only makes the result inexact.
    constexpr int far = sizeof(Integer) == 4 ? 100 : 500;
    if (std::abs(distance) > far) return true;

    std::array<Lanes<Integer, Bits128>, 3> scaled{};
    scaled[(addend + 1) % 3][lane] = a.with_exponent(0);
    scaled[(addend + 2) % 3][lane] = b.with_exponent(0);
    scaled[addend][lane] = c.with_exponent(distance);
    set_host_mxcsr((control & mxcsr::rounding) | mxcsr::masks);
    const auto result = to_lanes<Integer>(Operation::compute(from_lanes<Bits128>(scaled[0]),
                                                             from_lanes<Bits128>(scaled[1]),
                                                             from_lanes<Bits128>(scaled[2])));
    const std::uint32_t raised = host_mxcsr() & mxcsr::precision;
    if (Number(result[lane]).is_zero) return false;
    host::X87Result unbounded = host::load(typename Format<Integer>::Real{result[lane]});
    unbounded.value.sign_exponent = static_cast<std::uint16_t>(unbounded.value.sign_exponent +
                                                               scale);
    unbounded.status = raised ? x87_status::precision : 0;
    return is_lane_inexact<Integer>(unbounded, control);
}

}  // namespace inexactness

// PE of an operation of host_fma.h under `control`.
template <class Operation>
bool is_fused_inexact(std::uint32_t control, Bits128 first, Bits128 second, Bits128 third) {
    using enum host::Tiny;
    constexpr bool singles = Operation::tiny == Single || Operation::tiny == PackedSingle;
    constexpr bool scalar = Operation::tiny == Single || Operation::tiny == Double;
    using Integer = std::conditional_t<singles, std::uint32_t, std::uint64_t>;
    const auto a = to_lanes<Integer>(first), b = to_lanes<Integer>(second),
               c = to_lanes<Integer>(third);
    bool inexact = false;
    for (int i = 0; i < (scalar ? 1 : lane_count<Integer, Bits128>); ++i)
        inexact |= inexactness::is_fused_lane_inexact<Operation, Integer>({a[i], b[i], c[i]}, i,
                                                                          control);
    return inexact;
}

template <class Operation>
bool is_fused_inexact(std::uint32_t control, const Bits256& a, const Bits256& b, const Bits256& c) {
    return is_fused_inexact<Operation>(control, a.low, b.low, c.low) ||
           is_fused_inexact<Operation>(control, a.high, b.high, c.high);
}

}  // namespace backplane::x86
