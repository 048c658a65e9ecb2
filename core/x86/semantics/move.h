// MOV and its extending and conditional forms, exchanges, LEA, conversions and flag moves (SDM 2).
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"

#include <bit>
#include <type_traits>

namespace backplane::x86::semantics {

inline constexpr auto nop = [](auto&) __attribute__((always_inline)) { return Outcome::Next; };

// Also MOVZX, MOVNTI and LEA: the destination is at least as wide as the source.
inline constexpr auto mov = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    return dst.write(m, static_cast<T>(*value)) ? Outcome::Next : Outcome::Fault;
};

inline constexpr auto movbe = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    return dst.write(m, std::byteswap(*value)) ? Outcome::Next : Outcome::Fault;
};

// MOVSX and MOVSXD.
inline constexpr auto movsx = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    dst.write(m, static_cast<T>(LazyFlags::sign_extend(*value)));
    return Outcome::Next;
};

// The source is read and a 32-bit destination zero-extended even when the condition is false (SDM
// 2, CMOVcc).
template <Condition condition>
inline constexpr auto cmov = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto before = *dst.read(m);
    dst.write(m, holds<condition>(m.flags()) ? *value : before);
    return Outcome::Next;
};

template <Condition condition>
inline constexpr auto setcc = [](auto& m, auto dst) __attribute__((always_inline)) {
    const std::uint8_t value = holds<condition>(m.flags());
    return dst.write(m, value) ? Outcome::Next : Outcome::Fault;
};

// With memory the binder gives LockedMemory as `dst`: the exchange is atomic with and without LOCK.
inline constexpr auto xchg = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto b = *src.read(m);
    const auto a = dst.update(m, [&](auto) { return b; });
    if (!a) return Outcome::Fault;
    src.write(m, *a);
    return Outcome::Next;
};

inline constexpr auto xadd = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const T b = *src.read(m);
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value + b); });
    if (!a) return Outcome::Fault;
    src.write(m, *a);
    // With one register as both operands the sum stays (SDM 2, XADD: the destination is written
    // last).
    if constexpr (!decltype(dst)::is_memory) dst.write(m, static_cast<T>(*a + b));
    m.flags().set_add(*a, b);
    return Outcome::Next;
};

// Memory is written in either case, an unequal value with itself; an unequal register is left
// alone, which shows in its upper half for 32-bit operands.
inline constexpr auto cmpxchg = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const T b = *src.read(m);
    const T expected = *Accumulator<T>::read(m);
    T before;
    if constexpr (decltype(dst)::is_memory) {
        const auto value = dst.update(m,
                                      [&](T current) { return current == expected ? b : current; });
        if (!value) return Outcome::Fault;
        before = *value;
    } else {
        before = *dst.read(m);
        if (before == expected) dst.write(m, b);
    }
    if (before != expected) Accumulator<T>::write(m, before);
    m.flags().set_sub(expected, before);
    return Outcome::Next;
};

// CMPXCHG8B and CMPXCHG16B; Half is the width of the registers. Only ZF changes.
template <class Half>
inline constexpr auto cmpxchg_pair = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    constexpr unsigned shift = 8 * sizeof(Half);
    const auto pair = [&](Half low, Half high) {
        return static_cast<T>(static_cast<T>(high) << shift | low);
    };
    if constexpr (sizeof(Half) == 8)
        if (dst.address(m) & 15) return m.raise({.vector = Vector::GeneralProtection});
    const T expected = pair(*Accumulator<Half>::read(m), *Data<Half>::read(m));
    const T desired = pair(*FixedRegister<Half, RBX * 8>::read(m), *Counter<Half>::read(m));
    const auto before = dst.update(m, [&](T value) { return value == expected ? desired : value; });
    if (!before) return Outcome::Fault;
    if (*before != expected) {
        Accumulator<Half>::write(m, static_cast<Half>(*before));
        Data<Half>::write(m, static_cast<Half>(*before >> shift));
    }
    m.flags().zero = *before == expected ? 0 : 1;
    return Outcome::Next;
};

// CBW, CWDE and CDQE: T is the result's type, Half the source's.
template <class T, class Half>
inline constexpr auto widen_accumulator = [](auto& m) __attribute__((always_inline)) {
    Accumulator<T>::write(m, static_cast<T>(LazyFlags::sign_extend(*Accumulator<Half>::read(m))));
    return Outcome::Next;
};

// CWD, CDQ and CQO.
template <class T>
inline constexpr auto sign_to_data = [](auto& m) __attribute__((always_inline)) {
    Data<T>::write(m, static_cast<T>(LazyFlags::sign_extend(*Accumulator<T>::read(m)) >> 63));
    return Outcome::Next;
};

inline constexpr auto lahf = [](auto& m) __attribute__((always_inline)) {
    AccumulatorHigh::write(m, static_cast<std::uint8_t>(m.state().full_rflags()));
    return Outcome::Next;
};

// OF, which AH does not have, stays.
inline constexpr auto sahf = [](auto& m) __attribute__((always_inline)) {
    LazyFlags& flags = m.flags();
    const std::uint64_t overflow = flags.of() ? rflags::of : 0;
    flags.from_rflags(*AccumulatorHigh::read(m) | overflow);
    return Outcome::Next;
};

// AL becomes the carry in every bit; it is in no manual, but in every processor outside 64-bit
// mode.
inline constexpr auto salc = [](auto& m) __attribute__((always_inline)) {
    Accumulator<std::uint8_t>::write(m, m.flags().cf() ? 0xff : 0);
    return Outcome::Next;
};

inline constexpr auto clc = [](auto& m) __attribute__((always_inline)) {
    m.flags().set_carry_only(false);
    return Outcome::Next;
};

inline constexpr auto stc = [](auto& m) __attribute__((always_inline)) {
    m.flags().set_carry_only(true);
    return Outcome::Next;
};

inline constexpr auto cmc = [](auto& m) __attribute__((always_inline)) {
    m.flags().set_carry_only(!m.flags().cf());
    return Outcome::Next;
};

inline constexpr auto cld = [](auto& m) __attribute__((always_inline)) {
    m.state().rflags &= ~rflags::df;
    return Outcome::Next;
};

inline constexpr auto std_ = [](auto& m) __attribute__((always_inline)) {
    m.state().rflags |= rflags::df;
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
