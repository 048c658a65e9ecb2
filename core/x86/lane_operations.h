// Operations on packed integers, for any number of lanes (vector.h).
#pragma once

#include "x86/vector.h"

#include <limits>
#include <type_traits>
#include <utility>

namespace backplane::x86::lanes {

template <class L> using Element = std::remove_cvref_t<decltype(std::declval<L>()[0])>;
template <class L> inline constexpr int count = static_cast<int>(sizeof(L) / sizeof(Element<L>));

// A lane type with as many elements as L, each a T.
template <class T, class L>
using WithElement = T __attribute__((vector_size(sizeof(T) * count<L>)));

inline constexpr auto add = [](auto a, auto b) { return a + b; };
inline constexpr auto subtract = [](auto a, auto b) { return a - b; };
inline constexpr auto add_saturated = [](auto a, auto b) {
    return __builtin_elementwise_add_sat(a, b);
};
inline constexpr auto subtract_saturated = [](auto a, auto b) {
    return __builtin_elementwise_sub_sat(a, b);
};
inline constexpr auto minimum = [](auto a, auto b) { return __builtin_elementwise_min(a, b); };
inline constexpr auto maximum = [](auto a, auto b) { return __builtin_elementwise_max(a, b); };
inline constexpr auto bit_and = [](auto a, auto b) { return a & b; };
inline constexpr auto bit_and_not = [](auto a, auto b) { return ~a & b; };
inline constexpr auto bit_or = [](auto a, auto b) { return a | b; };
inline constexpr auto bit_xor = [](auto a, auto b) { return a ^ b; };
inline constexpr auto equal = [](auto a, auto b) { return std::bit_cast<decltype(a)>(a == b); };
inline constexpr auto greater = [](auto a, auto b) { return std::bit_cast<decltype(a)>(a > b); };
inline constexpr auto multiply_low = [](auto a, auto b) { return a * b; };

// The upper half of the product of 16-bit lanes, signed or not as they are.
inline constexpr auto multiply_high = [](auto a, auto b) {
    using L = decltype(a);
    using Wide = WithElement<
        std::conditional_t<std::is_signed_v<Element<L>>, std::int32_t, std::uint32_t>, L>;
    return __builtin_convertvector(
        (__builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide)) >> 16, L);
};

// The product of 16-bit fractions, rounded: PMULHRSW. Only -1 times -1 does not fit, and wraps.
inline constexpr auto multiply_rounded = [](auto a, auto b) {
    using L = decltype(a);
    using Wide = WithElement<std::int32_t, L>;
    const Wide product = __builtin_convertvector(a, Wide) * __builtin_convertvector(b, Wide);
    return __builtin_convertvector(((product >> 14) + 1) >> 1, L);
};

// The most negative number stays what it is.
inline constexpr auto absolute = [](auto a) { return __builtin_elementwise_abs(a); };

// a, negated where b is negative, zero where b is zero.
inline constexpr auto apply_sign = [](auto a, auto b) {
    using L = decltype(a);
    const auto negative = std::bit_cast<L>(b < 0), nonzero = std::bit_cast<L>(b != 0);
    return ((a ^ negative) - negative) & nonzero;
};

inline constexpr auto multiply_low_halves_signed = [](auto a, auto b) {
    return ((a << 32) >> 32) * ((b << 32) >> 32);
};

inline constexpr auto multiply_low_halves = [](auto a, auto b) {
    return (a & 0xffffffff) * (b & 0xffffffff);
};

// Each 32-bit lane: the sum of the products of its signed words. Only -32768 four times overflows,
// and it wraps.
inline constexpr auto multiply_add_halves = [](auto a, auto b) {
    using L = decltype(a);
    using Signed = WithElement<std::int32_t, L>;
    const auto low = [](L x) { return std::bit_cast<Signed>(x << 16) >> 16; };
    const auto high = [](L x) { return std::bit_cast<Signed>(x) >> 16; };
    return std::bit_cast<L>(low(a) * low(b)) + std::bit_cast<L>(high(a) * high(b));
};

// Each group of eight bytes: the sum of their absolute differences, as a 64-bit number.
inline constexpr auto sum_absolute_differences = [](auto a, auto b) {
    using L = decltype(a);
    const auto fold = []<class T>(auto x, T) {
        const auto wide = std::bit_cast<T __attribute__((vector_size(sizeof(L))))>(x);
        constexpr unsigned half = 4 * sizeof(T);
        return (wide & ((T{1} << half) - 1)) + (wide >> half);
    };
    const L differences = maximum(a, b) - minimum(a, b);
    return std::bit_cast<L>(
        fold(fold(fold(differences, std::uint16_t{}), std::uint32_t{}), std::uint64_t{}));
};

// Rounded up, without losing the carry.
inline constexpr auto average = [](auto a, auto b) {
    using L = decltype(a);
    return (a | b) - (((a ^ b) >> 1) & std::numeric_limits<Element<L>>::max());
};

// The lanes of a, then those of b, narrowed to T with saturation.
template <class T>
inline constexpr auto pack = [](auto a, auto b) {
    using L = decltype(a);
    using Wide = Element<L>;
    using Half = std::conditional_t<sizeof(L) == 16, std::uint64_t, std::uint32_t>;
    using Whole = Half __attribute__((vector_size(sizeof(L))));
    const auto narrow = [](L x) {
        const L low = L{} + static_cast<Wide>(std::numeric_limits<T>::min());
        const L high = L{} + static_cast<Wide>(std::numeric_limits<T>::max());
        return std::bit_cast<Half>(
            __builtin_convertvector(minimum(maximum(x, low), high), WithElement<T, L>));
    };
    return std::bit_cast<L>(Whole{narrow(a), narrow(b)});
};

template <int first>
inline constexpr auto interleave_from = [](auto a, auto b) {
    constexpr int n = count<decltype(a)>;
    return [&]<int... i>(std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(a, b, (first * n / 2 + i / 2 + (i % 2) * n)...);
    }(std::make_integer_sequence<int, n>{});
};
inline constexpr auto interleave_low = interleave_from<0>;
inline constexpr auto interleave_high = interleave_from<1>;

// A count of the element's width or more leaves zeros, or the sign for an arithmetic shift.
inline constexpr auto shift_left = [](auto a, std::uint64_t by) {
    using L = decltype(a);
    using T = Element<L>;
    return by < 8 * sizeof(T) ? a << (L{} + static_cast<T>(by)) : L{};
};

inline constexpr auto shift_right = [](auto a, std::uint64_t by) {
    using L = decltype(a);
    using T = Element<L>;
    constexpr std::uint64_t bits = 8 * sizeof(T);
    if constexpr (std::is_signed_v<T>)
        return a >> (L{} + static_cast<T>(by < bits ? by : bits - 1));
    else
        return by < bits ? a >> (L{} + static_cast<T>(by)) : L{};
};

// PSLLDQ and PSRLDQ: the whole register by bytes.
inline constexpr auto shift_bytes_left = [](auto a, std::uint64_t by) {
    using Whole = unsigned __int128;
    return std::bit_cast<decltype(a)>(by < 16 ? std::bit_cast<Whole>(a) << (8 * by) : Whole{0});
};

inline constexpr auto shift_bytes_right = [](auto a, std::uint64_t by) {
    using Whole = unsigned __int128;
    return std::bit_cast<decltype(a)>(by < 16 ? std::bit_cast<Whole>(a) >> (8 * by) : Whole{0});
};

// Four lanes from `first` on, each chosen among the four by two bits of the control byte.
template <int first>
inline constexpr auto shuffle_from = [](auto a, std::uint8_t control) {
    auto result = a;
    for (int i = 0; i < 4; ++i)
        result[first + i] = a[first + (control >> (2 * i) & 3)];
    return result;
};
inline constexpr auto shuffle = shuffle_from<0>;
inline constexpr auto shuffle_low = shuffle_from<0>;
inline constexpr auto shuffle_high = shuffle_from<4>;

inline constexpr auto sign_mask = [](auto a) -> std::uint32_t {
    constexpr int n = count<decltype(a)>;
    if constexpr (n >= 8) {
        using Mask = bool __attribute__((ext_vector_type(n)));
        using Word = std::conditional_t<n == 8, std::uint8_t, std::uint16_t>;
        return std::bit_cast<Word>(__builtin_convertvector(a < 0, Mask));
    } else {
        std::uint32_t mask = 0;
        for (int i = 0; i < n; ++i)
            mask |= static_cast<std::uint32_t>(a[i] < 0) << i;
        return mask;
    }
};

}  // namespace backplane::x86::lanes
