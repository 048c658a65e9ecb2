// BT, BTS, BTR, BTC, BSF, BSR and BSWAP (SDM 2).
//
// In memory a register bit offset reaches beyond the operand; the address micro-op has moved the
// address by then (semantics/address.h), so a bit is always taken modulo the operand's width here.
#pragma once

#include "x86/machine.h"
#include "x86/operand.h"

#include <bit>

namespace backplane::x86::semantics {

inline constexpr auto bit_mask = [](auto& m, auto dst, auto index) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    return static_cast<T>(T{1} << (*index.read(m) & (8 * sizeof(T) - 1)));
};

// CF is the bit as it was. The manual keeps ZF and leaves the others undefined; AMD processors of
// family 1Ah keep all.
inline constexpr auto bt = [](auto& m, auto dst, auto index) __attribute__((always_inline)) {
    const auto mask = bit_mask(m, dst, index);
    const auto before = dst.read(m);
    if (!before) return Outcome::Fault;
    m.flags().set_carry_only((*before & mask) != 0);
    return Outcome::Next;
};

inline constexpr auto bts = [](auto& m, auto dst, auto index) __attribute__((always_inline)) {
    const auto mask = bit_mask(m, dst, index);
    const auto before = dst.update(m, [&](auto value) { return value | mask; });
    if (!before) return Outcome::Fault;
    m.flags().set_carry_only((*before & mask) != 0);
    return Outcome::Next;
};

inline constexpr auto btr = [](auto& m, auto dst, auto index) __attribute__((always_inline)) {
    const auto mask = bit_mask(m, dst, index);
    const auto before = dst.update(m, [&](auto value) { return value & ~mask; });
    if (!before) return Outcome::Fault;
    m.flags().set_carry_only((*before & mask) != 0);
    return Outcome::Next;
};

inline constexpr auto btc = [](auto& m, auto dst, auto index) __attribute__((always_inline)) {
    const auto mask = bit_mask(m, dst, index);
    const auto before = dst.update(m, [&](auto value) { return value ^ mask; });
    if (!before) return Outcome::Fault;
    m.flags().set_carry_only((*before & mask) != 0);
    return Outcome::Next;
};

// ZF says that the source is zero. The manual leaves the other flags undefined; AMD processors of
// family 1Ah clear them but for PF, which is the parity of the bit's number, or of zero.
inline constexpr auto set_scan_flags = [](auto& m, auto source,
                                          unsigned number) __attribute__((always_inline)) {
    m.flags() = {.zero = source, .sign = source == 0 ? 0 : number, .aux = 0, .carry = 0};
};

// A destination keeps its value when the source is zero (APM 3, BSF; Intel processors do the same),
// all 64 bits of it.
inline constexpr auto bsf = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto number = static_cast<unsigned>(std::countr_zero(*value));
    if (*value != 0) dst.write(m, static_cast<T>(number));
    set_scan_flags(m, *value, number);
    return Outcome::Next;
};

inline constexpr auto bsr = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    const auto number = static_cast<unsigned>(std::bit_width(*value) - 1);
    if (*value != 0) dst.write(m, static_cast<T>(number));
    set_scan_flags(m, *value, number);
    return Outcome::Next;
};

// A 16-bit BSWAP is undefined; processors give zero.
inline constexpr auto bswap = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    dst.update(m, [](T value) { return sizeof(T) == 2 ? T{0} : std::byteswap(value); });
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
