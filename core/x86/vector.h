// The contents of an MMX or XMM register as a value, and as lanes of any element type.
#pragma once

#include <bit>
#include <cstdint>

namespace backplane::x86 {

using Bits64 = std::uint64_t;
using Bits128 = std::uint64_t __attribute__((vector_size(16)));

// As many elements of T as fit the register: Lanes<std::uint8_t, Bits64> has eight.
template <class T, class Bits>
using Lanes = T __attribute__((vector_size(sizeof(Bits))));

template <class T, class Bits>
inline constexpr int lane_count = static_cast<int>(sizeof(Bits) / sizeof(T));

template <class T, class Bits>
constexpr auto to_lanes(Bits value) {
    return std::bit_cast<Lanes<T, Bits>>(value);
}

template <class Bits, class L>
constexpr Bits from_lanes(L lanes) {
    static_assert(sizeof(Bits) == sizeof(L));
    return std::bit_cast<Bits>(lanes);
}

// A scalar in the low lane, zero above it: what a load of less than a register gives.
constexpr Bits128 zero_extend(std::uint64_t low) { return Bits128{low, 0}; }
constexpr Bits128 zero_extend(Bits128 value) { return value; }

}  // namespace backplane::x86
