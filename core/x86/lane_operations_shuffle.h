// Operations that choose, move and widen lanes: shuffles by bytes, blends, alignment, extension
// (SSE3, SSSE3, SSE4.1).
#pragma once

#include "x86/lane_operations.h"

namespace backplane::x86::lanes {

// PSHUFB: each byte of a that the low bits of an index name; zero where its bit 7 is set. The
// host's instruction; two copies of an MMX register make the fourth index bit irrelevant.
inline constexpr auto shuffle_bytes = [](auto a, auto indices) {
    using L = decltype(a);
    if constexpr (sizeof(L) == 16) {
        asm("pshufb %1, %0" : "+x"(a) : "x"(indices));
        return a;
    } else {
        const auto twice = [](L x) {
            return Bits128{std::bit_cast<std::uint64_t>(x), std::bit_cast<std::uint64_t>(x)};
        };
        Bits128 result = twice(a);
        asm("pshufb %1, %0" : "+x"(result) : "x"(twice(indices)));
        return std::bit_cast<L>(static_cast<std::uint64_t>(result[0]));
    }
};

// PALIGNR: as many bytes as a register has, from byte `by` on of b with a above it.
inline constexpr auto align = [](auto a, auto b, std::uint8_t by) {
    using L = decltype(a);
    using Whole = std::conditional_t<sizeof(L) == 16, unsigned __int128, std::uint64_t>;
    constexpr unsigned size = sizeof(L);
    const Whole high = std::bit_cast<Whole>(a), low = std::bit_cast<Whole>(b);
    if (by >= 2 * size) return L{};
    if (by >= size) return std::bit_cast<L>(high >> (8 * (by - size)));
    if (by == 0) return b;
    return std::bit_cast<L>(low >> (8 * by) | high << (8 * (size - by)));
};

// Bit i of the control byte set: lane i of b, otherwise of a.
inline constexpr auto blend = [](auto a, auto b, std::uint8_t control) {
    using L = decltype(a);
    using T = Element<L>;
    const L bits = []<int... i>(std::integer_sequence<int, i...>) {
        return L{static_cast<T>(1u << i)...};
    }(std::make_integer_sequence<int, count<L>>{});
    return ((L{} + static_cast<T>(control)) & bits) != 0 ? b : a;
};

// Lanes of b where the mask is negative, otherwise of a.
inline constexpr auto blend_by_sign = [](auto a, auto b, auto mask) { return mask < 0 ? b : a; };

// MOVSLDUP and MOVSHDUP, MOVDDUP: each even or odd lane twice.
template <int first>
inline constexpr auto duplicate_from = [](auto a) {
    return [&]<int... i>(std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(a, a, (i / 2 * 2 + first)...);
    }(std::make_integer_sequence<int, count<decltype(a)>>{});
};
inline constexpr auto duplicate_even = duplicate_from<0>;
inline constexpr auto duplicate_odd = duplicate_from<1>;

// The same number of lanes, each a T: sign- or zero-extended as they are signed or not.
template <class T>
inline constexpr auto widen =
    [](auto narrow) { return __builtin_convertvector(narrow, WithElement<T, decltype(narrow)>); };

}  // namespace backplane::x86::lanes
