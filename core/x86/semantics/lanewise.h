// The shapes of the instructions that compute on lanes: which operands go into a lane operation
// (lane_operations.h), and where its result goes.
#pragma once

#include "x86/fp_availability.h"
#include "x86/lane_operations.h"
#include "x86/machine.h"
#include "x86/vector_operand.h"

namespace backplane::x86::semantics {

// dst := operation(dst, src), with both seen as lanes of T.
template <class T, auto operation>
inline constexpr auto lanewise =
    vector<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        using Bits = typename decltype(dst)::Value;
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto half = [](auto x, decltype(x) y) __attribute__((always_inline)) {
            return from_lanes<decltype(x)>(operation(to_lanes<T>(x), to_lanes<T>(y)));
        };
        dst.write(m, for_each_half(half, *dst.read(m), static_cast<Bits>(*b)));
        return Outcome::Next;
    }>;

// dst := operation(src).
template <class T, auto operation>
inline constexpr auto lane_unary =
    vector<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto half = [](auto x) __attribute__((always_inline)) {
            return from_lanes<decltype(x)>(operation(to_lanes<T>(x)));
        };
        dst.write(m, for_each_half(half, *b));
        return Outcome::Next;
    }>;

// dst := operation(src, control byte).
template <class T, auto operation>
inline constexpr auto lane_shuffle =
    vector<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const std::uint8_t by = *control.read(m);
        const auto half = [=](auto x) __attribute__((always_inline)) {
            return from_lanes<decltype(x)>(operation(to_lanes<T>(x), by));
        };
        dst.write(m, for_each_half(half, *b));
        return Outcome::Next;
    }>;

// dst := operation(dst, src, control byte). The upper half of a YMM register takes the control bits
// from `upper_control` on.
template <class T, auto operation, unsigned upper_control = 0>
inline constexpr auto lanewise_control =
    vector<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        std::uint8_t by = *control.read(m);
        const auto half = [&](auto x, decltype(x) y) __attribute__((always_inline)) {
            const auto result = operation(to_lanes<T>(x), to_lanes<T>(y), by);
            by >>= upper_control;
            return from_lanes<decltype(x)>(result);
        };
        dst.write(m, for_each_half(half, *dst.read(m), *b));
        return Outcome::Next;
    }>;

// dst := operation(dst, src, third); legacy encodings imply the third register.
template <class T, auto operation>
inline constexpr auto lanewise_ternary =
    vector<[](auto& m, auto dst, auto src, auto third) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto half = [](auto x, decltype(x) y, decltype(x) z) __attribute__((always_inline)) {
            return from_lanes<decltype(x)>(
                operation(to_lanes<T>(x), to_lanes<T>(y), to_lanes<T>(z)));
        };
        dst.write(m, for_each_half(half, *dst.read(m), *b, *third.read(m)));
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
