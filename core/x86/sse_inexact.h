// Whether a floating-point operation is inexact when overflow or underflow is unmasked (SDM 1
// 4.9.1.4, 4.9.1.5): PE then says whether the result was rounded with an exponent of any size,
// which the host's masked response does not tell.
//
// The x87 unit has that exponent: with its precision set to the result's, all sums, products and
// quotients of singles and doubles are within its range.
#pragma once

#include "x86/guest_floating_point.h"
#include "x86/host_sse.h"
#include "x86/host_x87.h"

namespace backplane::x86 {

namespace inexactness {

template <class Integer> struct Format;

template <>
struct Format<std::uint16_t> {
    static constexpr unsigned fraction_bits = 10, exponent_bias = 15;
};

template <>
struct Format<std::uint32_t> {
    using Real = Real32;
    static constexpr unsigned fraction_bits = 23, exponent_bias = 127;
    static constexpr unsigned x87_precision = 0;
};

template <>
struct Format<std::uint64_t> {
    using Real = Real64;
    static constexpr unsigned fraction_bits = 52, exponent_bias = 1023;
    static constexpr unsigned x87_precision = 2;
};

// A denormal operand is zero under DAZ.
template <class Integer>
Integer flush_denormal(Integer value, std::uint32_t control) {
    constexpr unsigned bits = 8 * sizeof(Integer) - 1, fraction = Format<Integer>::fraction_bits;
    constexpr Integer sign = Integer{1} << bits, exponent = sign - (Integer{1} << fraction);
    const bool flushed = (control & mxcsr::denormals_are_zero) && !(value & exponent);
    return flushed ? value & sign : value;
}

// a op b, rounded to the precision of Result as `control`, an MXCSR, says.
template <class Result, class Integer>
host::X87Result compute_unbounded(host::LaneOperation operation, Integer a, Integer b,
                                  std::uint32_t control) {
    using Real = Format<Integer>::Real;
    using enum host::LaneOperation;
    X87State unit;
    unit.control = static_cast<std::uint16_t>(
        x87_control::masks | Format<Result>::x87_precision << 8 | (control & mxcsr::rounding) >> 3);
    const host::HostX87 host{unit};
    const Float80 first = host::load(Real{flush_denormal(a, control)}).value;
    const Real second{flush_denormal(b, control)};
    switch (operation) {
    case Add: return host::Fadd::compute(first, second);
    case Subtract: return host::Fsub::compute(first, second);
    case Multiply: return host::Fmul::compute(first, second);
    case Divide: return host::Fdiv::compute(first, second);
    default: return host::Fadd::compute(first, Real{0});
    }
}

// What PE becomes for one lane.
template <class Result>
bool is_lane_inexact(const host::X87Result& unbounded, std::uint32_t control) {
    constexpr unsigned bias = 0x3fff, fraction = Format<Result>::fraction_bits;
    constexpr unsigned largest = bias + Format<Result>::exponent_bias;
    constexpr unsigned smallest = bias + 1 - Format<Result>::exponent_bias;
    const unsigned exponent = unbounded.value.sign_exponent & 0x7fff;
    const std::uint64_t significand = unbounded.value.significand;
    const bool inexact = unbounded.status & x87_status::precision;
    const auto masked = [&](std::uint32_t flag) {
        return (control & flag << mxcsr::mask_shift) != 0;
    };
    if (exponent == 0x7fff || significand == 0) return false;
    if (exponent > largest) return inexact || masked(mxcsr::overflow);
    if (exponent >= smallest || !masked(mxcsr::underflow)) return inexact;
    const unsigned dropped = 63 - fraction + smallest - exponent;  // as a denormal
    const bool fits = dropped < 64 && (significand & ((std::uint64_t{1} << dropped) - 1)) == 0;
    return inexact || !fits || (control & mxcsr::flush_to_zero);
}

template <class Result, class Integer>
bool is_lane_inexact(host::LaneOperation operation, Integer a, Integer b, std::uint32_t control) {
    return is_lane_inexact<Result>(compute_unbounded<Result>(operation, a, b, control), control);
}

template <class Integer>
bool is_any_lane_inexact(host::LaneOperation operation, Bits128 first, Bits128 second, int used,
                         std::uint32_t control) {
    using enum host::LaneOperation;
    constexpr int count = lane_count<Integer, Bits128>;
    const auto a = to_lanes<Integer>(first), b = to_lanes<Integer>(second);
    const bool pairs = operation == AddPairs || operation == SubtractPairs;
    bool inexact = false;
    for (int i = 0; i < used; ++i) {
        const int pair = 2 * i % count;
        const auto& source = 2 * i < count ? a : b;
        const auto lane_operation = operation == AddPairs        ? Add
                                    : operation == SubtractPairs ? Subtract
                                    : operation != SubtractAdd   ? operation
                                    : i % 2                      ? Add
                                                                 : Subtract;
        inexact |= is_lane_inexact<Integer>(lane_operation, pairs ? source[pair] : a[i],
                                            pairs ? source[pair + 1] : b[i], control);
    }
    return inexact;
}

// The same for singles made halves, four of them, which do not heed FTZ.
inline bool is_any_half_inexact(Bits128 singles, std::uint32_t control) {
    const auto values = to_lanes<std::uint32_t>(singles);
    bool inexact = false;
    for (int i = 0; i < 4; ++i) {
        constexpr std::uint64_t dropped = (std::uint64_t{1} << 53) - 1;
        const Real32 value{flush_denormal<std::uint32_t>(values[i], control)};
        auto wide = host::load(value);
        wide.status = wide.value.significand & dropped ? x87_status::precision : 0;
        inexact |= is_lane_inexact<std::uint16_t>(wide, control & ~mxcsr::flush_to_zero);
    }
    return inexact;
}

}  // namespace inexactness

// PE of an operation of host_sse.h under `control`.
template <class Operation>
bool is_inexact(std::uint32_t control, Bits128 a, Bits128 b) {
    using namespace inexactness;
    using enum host::Tiny;
    constexpr host::LaneOperation operation = Operation::lane_operation;
    constexpr host::Tiny tiny = Operation::tiny;
    constexpr bool packed = tiny == PackedSingle || tiny == PackedDouble;
    if constexpr (operation == host::LaneOperation::Other) {
        static_assert(tiny == Never);
        return false;
    } else if constexpr (operation == host::LaneOperation::Narrow) {
        bool inexact = false;
        for (int i = 0; i < (packed ? 2 : 1); ++i)
            inexact |= is_lane_inexact<std::uint32_t>(operation, b[i], b[i], control);
        return inexact;
    } else if constexpr (tiny == Single || tiny == PackedSingle) {
        return is_any_lane_inexact<std::uint32_t>(operation, a, b, packed ? 4 : 1, control);
    } else {
        return is_any_lane_inexact<std::uint64_t>(operation, a, b, packed ? 2 : 1, control);
    }
}

template <class Operation>
bool is_inexact(std::uint32_t control, const Bits256& a, const Bits256& b) {
    return is_inexact<Operation>(control, a.low, b.low) ||
           is_inexact<Operation>(control, a.high, b.high);
}

template <class Operation, class Bits>
bool is_inexact(std::uint32_t control, const Bits& only) {
    return is_inexact<Operation>(control, only, only);
}

}  // namespace backplane::x86
