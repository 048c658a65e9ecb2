// The contents of an MMX, XMM or YMM register as a value, and as lanes of any element type.
#pragma once

#include <bit>
#include <cstdint>
#include <type_traits>

namespace backplane::x86 {

using Bits64 = std::uint64_t;
using Bits128 = std::uint64_t __attribute__((vector_size(16)));

// A YMM register. Two halves rather than one long vector, because nearly every instruction works
// on them separately, with the operation that it has for XMM registers.
struct Bits256 {
    Bits128 low, high;
};

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
constexpr Bits256 zero_extend(const Bits256& value) { return value; }

// What belongs to one half of a YMM register; anything but a Bits256 (a count, a control byte)
// belongs to both.
template <class T>
constexpr auto low_half(const T& value) {
    if constexpr (std::is_same_v<T, Bits256>)
        return value.low;
    else
        return value;
}

template <class T>
constexpr auto high_half(const T& value) {
    if constexpr (std::is_same_v<T, Bits256>)
        return value.high;
    else
        return value;
}

// operation(values...), for each half of them when the first is a YMM register.
template <class Operation, class First, class... Values>
[[gnu::always_inline]] constexpr auto for_each_half(Operation operation, const First& first,
                                                    const Values&... values) {
    if constexpr (std::is_same_v<First, Bits256>)
        return Bits256{operation(first.low, low_half(values)...),
                       operation(first.high, high_half(values)...)};
    else
        return operation(first, values...);
}

}  // namespace backplane::x86
