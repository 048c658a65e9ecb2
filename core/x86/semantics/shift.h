// SHL, SHR, SAR, the rotates and the double shifts (SDM 2).
//
// Counts are taken modulo 32, or 64 for 64-bit operands; a count of zero changes no flag, though a
// 32-bit register is still zero-extended.
//
// The manual defines OF for a count of one only, and never AF. Here, as on AMD processors of family
// 1Ah, one formula gives OF for every count, and shifts set AF.
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"

namespace backplane::x86::semantics {

template <class T> inline constexpr unsigned width_of = 8 * sizeof(T);
template <class T> inline constexpr unsigned count_mask = sizeof(T) == 8 ? 63 : 31;

inline constexpr auto top_bit = []<class T>(T value) __attribute__((always_inline)) {
    return static_cast<bool>((value >> (width_of<T> - 1)) & 1);
};

inline constexpr auto second_bit = []<class T>(T value) __attribute__((always_inline)) {
    return static_cast<bool>((value >> (width_of<T> - 2)) & 1);
};

// True when flags change for `count`; a compiler drops the question for counts known to be nonzero.
template <class Count>
constexpr bool changes_flags(unsigned count) {
    if constexpr (requires { Count::is_never_zero; })
        return true;
    else
        return count != 0;
}

// Bit 0 is the last bit that leaves at the top. Counts beyond the width, of which the manual says
// nothing, shift in zeros that leave too.
template <class T>
constexpr std::uint64_t out_of_top(T value, unsigned n) {
    if constexpr (sizeof(T) == 8)
        return value >> (64 - n);
    else
        return std::uint64_t{value} << n >> width_of<T>;
}

// The same at the bottom.
template <class T>
constexpr std::uint64_t out_of_bottom(T value, unsigned n) {
    return std::uint64_t{value} >> (n - 1);
}

template <class T>
constexpr std::uint64_t sign_extended(T value) {
    return static_cast<std::uint64_t>(LazyFlags::sign_extend(value));
}

// CF is bit 0 of `out`, and OF exclusive-or CF bit 63 of `aux`, as in LazyFlags::aux. Whole words
// rather than conditions: that takes fewer instructions.
inline constexpr auto set_shift_flags = [](auto& m, auto result, std::uint64_t out,
                                           std::uint64_t aux) __attribute__((always_inline)) {
    LazyFlags& flags = m.flags();
    flags.set_result(result);
    flags.aux = aux | 1u << 4;
    flags.carry = out & 1;
};

inline constexpr auto shl = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const auto before = dst.update(
        m, [&](T value) { return static_cast<T>(std::uint64_t{value} << n); });
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = static_cast<T>(std::uint64_t{*before} << n);
    set_shift_flags(m, result, out_of_top(*before, n), sign_extended(result));
    return Outcome::Next;
};

inline constexpr auto shr = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const auto before = dst.update(
        m, [&](T value) { return static_cast<T>(std::uint64_t{value} >> n); });
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = static_cast<T>(std::uint64_t{*before} >> n);
    // OF is the result's second bit; the first is zero.
    const std::uint64_t out = out_of_bottom(*before, n);
    set_shift_flags(m, result, out, sign_extended(static_cast<T>(result << 1)) ^ out << 63);
    return Outcome::Next;
};

inline constexpr auto sar = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const auto before = dst.update(
        m, [&](T value) { return static_cast<T>(LazyFlags::sign_extend(value) >> n); });
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const std::int64_t wide = LazyFlags::sign_extend(*before);
    const auto out = static_cast<std::uint64_t>(wide >> (n - 1));
    set_shift_flags(m, static_cast<T>(wide >> n), out, out << 63);
    return Outcome::Next;
};

// Rotates change CF and OF only.
inline constexpr auto rol = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const auto rotate = [&](T value) {
        return std::rotl(value, static_cast<int>(n % width_of<T>));
    };
    const auto before = dst.update(m, rotate);
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = rotate(*before);
    const bool carry = result & 1;
    m.flags().set_carry_and_overflow(carry, carry != top_bit(result));
    return Outcome::Next;
};

inline constexpr auto ror = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const auto rotate = [&](T value) {
        return std::rotr(value, static_cast<int>(n % width_of<T>));
    };
    const auto before = dst.update(m, rotate);
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = rotate(*before);
    m.flags().set_carry_and_overflow(top_bit(result), top_bit(result) != second_bit(result));
    return Outcome::Next;
};

// Rotates through the carry turn one bit more than the operand has: 8- and 16-bit counts are modulo
// 9 and 17. Whole turns change neither operand nor CF, but OF.
template <class T>
constexpr unsigned rotate_through_carry_count(unsigned count) {
    return sizeof(T) < 4 ? count % (width_of<T> + 1) : count;
}

inline constexpr auto rcl = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    constexpr unsigned width = width_of<T>;
    const unsigned masked = *count.read(m) & count_mask<T>;
    const unsigned n = rotate_through_carry_count<T>(masked);
    const std::uint64_t carry_in = m.flags().cf();
    const auto rotate = [&](T operand) {
        if (n == 0) return operand;
        const std::uint64_t value = operand;
        const std::uint64_t wrapped = n > 1 ? value >> (width + 1 - n) : 0;
        return static_cast<T>((n < width ? value << n : 0) | carry_in << (n - 1) | wrapped);
    };
    const auto before = dst.update(m, rotate);
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(masked)) return Outcome::Next;
    const bool carry = n == 0 ? carry_in : (*before >> (width - n)) & 1;
    m.flags().set_carry_and_overflow(carry, carry != top_bit(rotate(*before)));
    return Outcome::Next;
};

inline constexpr auto rcr = [](auto& m, auto dst, auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    constexpr unsigned width = width_of<T>;
    const unsigned masked = *count.read(m) & count_mask<T>;
    const unsigned n = rotate_through_carry_count<T>(masked);
    const std::uint64_t carry_in = m.flags().cf();
    const auto rotate = [&](T operand) {
        if (n == 0) return operand;
        const std::uint64_t value = operand;
        const std::uint64_t wrapped = n > 1 ? value << (width + 1 - n) : 0;
        return static_cast<T>((n < width ? value >> n : 0) | carry_in << (width - n) | wrapped);
    };
    const auto before = dst.update(m, rotate);
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(masked)) return Outcome::Next;
    const T result = rotate(*before);
    const bool carry = n == 0 ? carry_in : out_of_bottom(*before, n) & 1;
    m.flags().set_carry_and_overflow(carry, top_bit(result) != second_bit(result));
    return Outcome::Next;
};

// What comes in of the source. For 16-bit operands the manual leaves counts above 16 undefined; AMD
// processors of family 1Ah go round in the source.
template <class T>
constexpr std::uint64_t shift_left_filling(T value, T fill, unsigned n) {
    if constexpr (sizeof(T) == 8)
        return n == 0 ? value : value << n | fill >> (64 - n);
    else if constexpr (sizeof(T) == 4)
        return static_cast<T>((std::uint64_t{value} << 32 | fill) << n >> 32);
    else
        return static_cast<T>(
            (std::uint64_t{value} << 32 | std::uint64_t{fill} << 16 | fill) << n >> 32);
}

template <class T>
constexpr std::uint64_t shift_right_filling(T value, T fill, unsigned n) {
    if constexpr (sizeof(T) == 8)
        return n == 0 ? value : value >> n | fill << (64 - n);
    else if constexpr (sizeof(T) == 4)
        return static_cast<T>((std::uint64_t{fill} << 32 | value) >> n);
    else
        return static_cast<T>((std::uint64_t{fill} << 32 | std::uint64_t{fill} << 16 | value) >> n);
}

// CF and OF are those of SHL and SHR, but that SHRD shows in OF what has come in. SHLD does not,
// which differs for 16-bit operands and counts above 15 only.
inline constexpr auto shld = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const T fill = *src.read(m);
    const auto before = dst.update(
        m, [&](T value) { return static_cast<T>(shift_left_filling(value, fill, n)); });
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = static_cast<T>(shift_left_filling(*before, fill, n));
    set_shift_flags(m, result, out_of_top(*before, n),
                    sign_extended(static_cast<T>(std::uint64_t{*before} << n)));
    return Outcome::Next;
};

inline constexpr auto shrd = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const unsigned n = *count.read(m) & count_mask<T>;
    const T fill = *src.read(m);
    const auto before = dst.update(
        m, [&](T value) { return static_cast<T>(shift_right_filling(value, fill, n)); });
    if (!before) return Outcome::Fault;
    if (!changes_flags<decltype(count)>(n)) return Outcome::Next;
    const T result = static_cast<T>(shift_right_filling(*before, fill, n));
    const std::uint64_t out = out_of_bottom(*before, n);
    const std::uint64_t overflow = sign_extended(static_cast<T>(result ^ result << 1));
    set_shift_flags(m, result, out, overflow ^ out << 63);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
