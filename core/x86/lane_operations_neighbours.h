// Operations that combine neighbouring lanes of packed integers: horizontal sums, sums of products
// and of differences (SSSE3, SSE4.1).
#pragma once

#include "x86/lane_operations.h"

namespace backplane::x86::lanes {

// Every other lane of a, then every other one of b.
template <int first>
inline constexpr auto alternate_from = [](auto a, auto b) {
    return [&]<int... i>(std::integer_sequence<int, i...>) {
        return __builtin_shufflevector(a, b, (first + 2 * i)...);
    }(std::make_integer_sequence<int, count<decltype(a)>>{});
};
inline constexpr auto even = alternate_from<0>;
inline constexpr auto odd = alternate_from<1>;

// The pairs of a, then those of b, each folded by `operation`.
template <auto operation>
inline constexpr auto fold_pairs = [](auto a, auto b) { return operation(even(a, b), odd(a, b)); };
inline constexpr auto horizontal_add = fold_pairs<add>;
inline constexpr auto horizontal_add_saturated = fold_pairs<add_saturated>;
inline constexpr auto horizontal_subtract = fold_pairs<subtract>;
inline constexpr auto horizontal_subtract_saturated = fold_pairs<subtract_saturated>;

// Each signed word: the products of the unsigned bytes of a and the signed bytes of b, added with
// saturation. A product alone always fits.
inline constexpr auto multiply_add_bytes = [](auto a, auto b) {
    using L = decltype(a);
    static_assert(std::is_same_v<Element<L>, std::int16_t>);
    const L low = (a & 0xff) * ((b << 8) >> 8), high = ((a >> 8) & 0xff) * (b >> 8);
    return add_saturated(low, high);
};

// MPSADBW on bytes: eight sums of four absolute differences. Each takes the same group of b, chosen
// by bits 0 and 1 of the control byte, and four bytes of a, one further on each time, from where
// bit 2 says.
inline constexpr auto multiple_sums_absolute_differences = [](auto a, auto b,
                                                              std::uint8_t control) {
    using Bytes = decltype(a);
    static_assert(sizeof(Bytes) == 16);
    using Words = Lanes<std::uint16_t, Bytes>;
    using EightBytes = Lanes<std::uint8_t, std::uint64_t>;
    const auto from = std::bit_cast<unsigned __int128>(a) >> (control & 4 ? 32 : 0);
    Words sums{};
    for (int i = 0; i < 4; ++i) {
        const auto eight = std::bit_cast<EightBytes>(static_cast<std::uint64_t>(from >> (8 * i)));
        const Words window = __builtin_convertvector(eight, Words);
        const Words one = Words{} + static_cast<std::uint16_t>(b[(control & 3) * 4 + i]);
        sums += maximum(window, one) - minimum(window, one);
    }
    return std::bit_cast<Bytes>(sums);
};

// PHMINPOSUW: the smallest word, and the first position where it is.
inline constexpr auto minimum_and_position = [](auto words) {
    using L = decltype(words);
    std::uint16_t smallest = words[0], position = 0;
    for (std::uint16_t i = 1; i < count<L>; ++i)
        if (words[i] < smallest) {
            smallest = words[i];
            position = i;
        }
    return L{smallest, position};
};

}  // namespace backplane::x86::lanes
