// The instructions of AVX and AVX2 that SSE has no form of: broadcasts, permutations also across
// the halves of a YMM register, blends and shifts by elements (SDM 2).
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/vex_operand.h"

#include <array>
#include <bit>

namespace backplane::x86::semantics {

template <class T, class Bits>
using Elements = std::array<T, sizeof(Bits) / sizeof(T)>;

// dst := f(i) for every element i, from sources that f looks at.
template <class T, class Bits, class F>
[[gnu::always_inline]] constexpr Bits make_elements(F f) {
    Elements<T, Bits> result;
    for (unsigned i = 0; i < result.size(); ++i)
        result[i] = static_cast<T>(f(i));
    return std::bit_cast<Bits>(result);
}

// dst := operation(src), and dst := operation(dst, src), for whole registers.
template <auto operation>
inline constexpr auto avx_unary =
    avx<[](auto& m, auto dst, auto src, auto... control) __attribute__((always_inline)) {
        using Bits = typename decltype(dst)::Value;
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        dst.write(m, operation.template operator()<Bits>(*b, *control.read(m)...));
        return Outcome::Next;
    }>;

template <auto operation>
inline constexpr auto avx_binary =
    avx<[](auto& m, auto dst, auto src, auto... control) __attribute__((always_inline)) {
        using Bits = typename decltype(dst)::Value;
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        dst.write(m, operation.template operator()<Bits>(*dst.read(m), *b, *control.read(m)...));
        return Outcome::Next;
    }>;

// The source's value in every element; it is a T, or a Bits128 for VBROADCASTF128.
inline constexpr auto broadcast = avx_unary<[]<class Bits, class T>(const T& value) {
    return make_elements<T, Bits>([&](unsigned) { return value; });
}>;
inline constexpr auto vbroadcast128 =
    avx_unary<[]<class Bits>(const Bits128& value) { return Bits256{value, value}; }>;

// VPMOVSX and VPMOVZX to YMM registers: src has as many elements of From as dst has of To.
template <class From, class To>
inline constexpr auto widening_move_ymm = avx_unary<[]<class Bits, class T>(const T& narrow) {
    const auto from = std::bit_cast<Elements<From, T>>(narrow);
    return make_elements<To, Bits>([&](unsigned i) { return from[i]; });
}>;

// VPERMILPS and VPERMILPD: within each half, by a control byte or by elements.
inline constexpr auto vpermilps_control =
    avx_unary<[]<class Bits>(const Bits& value, std::uint8_t control) {
        const auto from = std::bit_cast<Elements<std::uint32_t, Bits>>(value);
        return make_elements<std::uint32_t, Bits>(
            [&](unsigned i) { return from[(i & 4) | (control >> (i & 3) * 2 & 3)]; });
    }>;
inline constexpr auto vpermilpd_control =
    avx_unary<[]<class Bits>(const Bits& value, std::uint8_t control) {
        const auto from = std::bit_cast<Elements<std::uint64_t, Bits>>(value);
        return make_elements<std::uint64_t, Bits>(
            [&](unsigned i) { return from[(i & 2) | (control >> i & 1)]; });
    }>;
inline constexpr auto vpermilps = avx_binary<[]<class Bits>(const Bits& value, const Bits& by) {
    const auto from = std::bit_cast<Elements<std::uint32_t, Bits>>(value);
    const auto index = std::bit_cast<Elements<std::uint32_t, Bits>>(by);
    return make_elements<std::uint32_t, Bits>(
        [&](unsigned i) { return from[(i & 4) | (index[i] & 3)]; });
}>;
inline constexpr auto vpermilpd = avx_binary<[]<class Bits>(const Bits& value, const Bits& by) {
    const auto from = std::bit_cast<Elements<std::uint64_t, Bits>>(value);
    const auto index = std::bit_cast<Elements<std::uint64_t, Bits>>(by);
    return make_elements<std::uint64_t, Bits>(
        [&](unsigned i) { return from[(i & 2) | (index[i] >> 1 & 1)]; });
}>;

// VPERMD and VPERMPS: the first source has the indices. VPERMQ and VPERMPD: the control byte.
inline constexpr auto vpermd = avx_binary<[]<class Bits>(const Bits& by, const Bits& value) {
    const auto from = std::bit_cast<Elements<std::uint32_t, Bits>>(value);
    const auto index = std::bit_cast<Elements<std::uint32_t, Bits>>(by);
    return make_elements<std::uint32_t, Bits>([&](unsigned i) { return from[index[i] & 7]; });
}>;
inline constexpr auto vpermq = avx_unary<[]<class Bits>(const Bits& value, std::uint8_t control) {
    const auto from = std::bit_cast<Elements<std::uint64_t, Bits>>(value);
    return make_elements<std::uint64_t, Bits>(
        [&](unsigned i) { return from[control >> 2 * i & 3]; });
}>;

// Each half of the result is one of the four of both sources, or zero.
inline constexpr auto vperm2f128 =
    avx_binary<[]<class Bits>(const Bits& a, const Bits& b, std::uint8_t control) {
        const std::array halves{a.low, a.high, b.low, b.high};
        const auto chosen = [&](unsigned by) { return by & 8 ? Bits128{} : halves[by & 3]; };
        return Bits{chosen(control), chosen(control >> 4)};
    }>;
inline constexpr auto vinsertf128 =
    avx_binary<[]<class Bits>(const Bits& a, const Bits128& b, std::uint8_t control) {
        return control & 1 ? Bits{a.low, b} : Bits{b, a.high};
    }>;
inline constexpr auto vextractf128 =
    avx<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const Bits256 value = *src.read(m);
        const Bits128 half = *control.read(m) & 1 ? value.high : value.low;
        return dst.write(m, half) ? Outcome::Next : Outcome::Fault;
    }>;

inline constexpr auto vpblendd =
    avx_binary<[]<class Bits>(const Bits& a, const Bits& b, std::uint8_t control) {
        const auto first = std::bit_cast<Elements<std::uint32_t, Bits>>(a);
        const auto second = std::bit_cast<Elements<std::uint32_t, Bits>>(b);
        return make_elements<std::uint32_t, Bits>(
            [&](unsigned i) { return control >> i & 1 ? second[i] : first[i]; });
    }>;

// Each element by a count of its own; one of the element's width or more leaves zeros, or the sign.
template <class T>
inline constexpr auto shift_left_each =
    avx_binary<[]<class Bits>(const Bits& value, const Bits& by) {
        const auto from = std::bit_cast<Elements<T, Bits>>(value);
        const auto count = std::bit_cast<Elements<T, Bits>>(by);
        return make_elements<T, Bits>(
            [&](unsigned i) { return count[i] < 8 * sizeof(T) ? from[i] << count[i] : T{0}; });
    }>;
template <class T>
inline constexpr auto shift_right_each =
    avx_binary<[]<class Bits>(const Bits& value, const Bits& by) {
        const auto from = std::bit_cast<Elements<T, Bits>>(value);
        const auto count = std::bit_cast<Elements<std::make_unsigned_t<T>, Bits>>(by);
        constexpr unsigned width = 8 * sizeof(T);
        return make_elements<T, Bits>([&](unsigned i) {
            if (count[i] < width) return static_cast<T>(from[i] >> count[i]);
            return std::is_signed_v<T> ? static_cast<T>(from[i] >> (width - 1)) : T{0};
        });
    }>;

inline constexpr auto vpsllvd = shift_left_each<std::uint32_t>;
inline constexpr auto vpsllvq = shift_left_each<std::uint64_t>;
inline constexpr auto vpsrlvd = shift_right_each<std::uint32_t>;
inline constexpr auto vpsrlvq = shift_right_each<std::uint64_t>;
inline constexpr auto vpsravd = shift_right_each<std::int32_t>;

}  // namespace backplane::x86::semantics
