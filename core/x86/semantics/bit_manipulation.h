// BMI1, BMI2, LZCNT and POPCNT (SDM 2): the bit instructions that came after the 80386's.
//
// The operands are `dst` and the sources in the order of the manual. Flags that it leaves undefined
// are as on AMD processors of family 1Ah.
#pragma once

#include "x86/doubled.h"
#include "x86/implicit_operand.h"
#include "x86/machine.h"

#include <bit>

namespace backplane::x86::semantics {

inline constexpr auto popcnt = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    dst.write(m, static_cast<T>(std::popcount(*value)));
    // Every flag but ZF is cleared, PF too: a sign word of one has odd parity.
    LazyFlags& flags = m.flags();
    flags = {.zero = *value, .sign = 1, .aux = 0, .carry = 0};
    return Outcome::Next;
};

// CF says that the source is zero, ZF that the count is. Of the flags that the manual leaves
// undefined OF is kept, and SF, AF and PF are cleared: a sign word of one has odd parity.
inline constexpr auto set_count_flags = [](auto& m, std::uint64_t count, bool is_zero)
                                            __attribute__((always_inline)) {
                                                LazyFlags& flags = m.flags();
                                                const bool overflow = flags.of();
                                                flags = {.zero = count, .sign = 1};
                                                flags.set_carry_and_overflow(is_zero, overflow);
                                            };

// A count of zero is stored, unlike BSR's.
inline constexpr auto lzcnt = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T count = static_cast<T>(std::countl_zero(*value));
    dst.write(m, count);
    set_count_flags(m, count, *value == 0);
    return Outcome::Next;
};

inline constexpr auto tzcnt = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T count = static_cast<T>(std::countr_zero(*value));
    dst.write(m, count);
    set_count_flags(m, count, *value == 0);
    return Outcome::Next;
};

inline constexpr auto andn = [](auto& m, auto dst, auto first, auto second)
                                 __attribute__((always_inline)) {
                                     using T = typename decltype(dst)::Value;
                                     const auto b = second.read(m);
                                     if (!b) return Outcome::Fault;
                                     const T result = static_cast<T>(~*first.read(m) & *b);
                                     dst.write(m, result);
                                     m.flags().set_logic(result);
                                     return Outcome::Next;
                                 };

// The control's low byte is the first bit's number, the next one how many bits are taken. The
// manual leaves SF, AF and PF undefined: SF is cleared, AF set, PF the result's parity.
inline constexpr auto bextr = [](auto& m, auto dst, auto src,
                                 auto control) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    constexpr unsigned width = 8 * sizeof(T);
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T chosen = *control.read(m);
    const unsigned start = chosen & 0xff, length = (chosen >> 8) & 0xff;
    T result = start < width ? static_cast<T>(*value >> start) : T{0};
    if (length < width) result &= static_cast<T>((T{1} << length) - 1);
    dst.write(m, result);
    m.flags() = {
        .zero = result, .sign = static_cast<std::uint8_t>(result), .aux = 1u << 4, .carry = 0};
    return Outcome::Next;
};

inline constexpr auto blsi = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T result = static_cast<T>(*value & (0 - *value));
    dst.write(m, result);
    m.flags().set_logic(result);
    m.flags().set_carry_only(*value != 0);
    return Outcome::Next;
};

inline constexpr auto blsmsk = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T result = static_cast<T>(*value ^ (*value - 1));
    dst.write(m, result);
    m.flags().set_logic(result);
    m.flags().set_carry_only(*value == 0);
    return Outcome::Next;
};

inline constexpr auto blsr = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const T result = static_cast<T>(*value & (*value - 1));
    dst.write(m, result);
    m.flags().set_logic(result);
    m.flags().set_carry_only(*value == 0);
    return Outcome::Next;
};

// CF says that the index reached beyond the operand, whose bits all stay then.
inline constexpr auto bzhi = [](auto& m, auto dst, auto src,
                                auto index) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    constexpr unsigned width = 8 * sizeof(T);
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const unsigned first = *index.read(m) & 0xff;
    const T result = first < width ? static_cast<T>(*value & ((T{1} << first) - 1)) : *value;
    dst.write(m, result);
    m.flags().set_logic(result);
    m.flags().set_carry_only(first >= width);
    return Outcome::Next;
};

// From here on no flag changes.

// RDX times the source. With one register for both halves it keeps the high one.
inline constexpr auto mulx = [](auto& m, auto high, auto low,
                                auto src) __attribute__((always_inline)) {
    using T = typename decltype(high)::Value;
    using Wide = typename Doubled<T>::Unsigned;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const Wide product = static_cast<Wide>(*Data<T>::read(m)) * *value;
    low.write(m, static_cast<T>(product));
    high.write(m, static_cast<T>(product >> (8 * sizeof(T))));
    return Outcome::Next;
};

// The source's low bits go to the places of the mask's ones.
inline constexpr auto pdep = [](auto& m, auto dst, auto src,
                                auto mask) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto places = mask.read(m);
    if (!places) return Outcome::Fault;
    T result = 0, bits = *src.read(m);
    for (T left = *places; left != 0; left &= left - 1, bits >>= 1)
        result |= static_cast<T>((bits & 1) << std::countr_zero(left));
    dst.write(m, result);
    return Outcome::Next;
};

inline constexpr auto pext = [](auto& m, auto dst, auto src,
                                auto mask) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto places = mask.read(m);
    if (!places) return Outcome::Fault;
    const T value = *src.read(m);
    T result = 0;
    unsigned at = 0;
    for (T left = *places; left != 0; left &= left - 1, ++at)
        result |= static_cast<T>(((value >> std::countr_zero(left)) & 1) << at);
    dst.write(m, result);
    return Outcome::Next;
};

inline constexpr auto rorx = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    dst.write(m, std::rotr(*value, static_cast<int>(*count.read(m) & (8 * sizeof(*value) - 1))));
    return Outcome::Next;
};

inline constexpr auto sarx = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const unsigned n = *count.read(m) & (8 * sizeof(T) - 1);
    dst.write(m, static_cast<T>(LazyFlags::sign_extend(*value) >> n));
    return Outcome::Next;
};

inline constexpr auto shlx = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    dst.write(m, static_cast<T>(*value << (*count.read(m) & (8 * sizeof(T) - 1))));
    return Outcome::Next;
};

inline constexpr auto shrx = [](auto& m, auto dst, auto src,
                                auto count) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    dst.write(m, static_cast<T>(*value >> (*count.read(m) & (8 * sizeof(T) - 1))));
    return Outcome::Next;
};

// VEX encodings exist in protected mode only (SDM 2 2.3.1); 64-bit code need not ask.
template <auto semantic>
inline constexpr auto in_protected_mode =
    [](auto& m, auto... operands) __attribute__((always_inline)) {
        const CpuState& state = m.state();
        if (!state.protected_mode() || (state.rflags & rflags::vm))
            return m.raise({.vector = Vector::InvalidOpcode});
        return semantic(m, operands...);
    };

}  // namespace backplane::x86::semantics
