// AAA, AAS, AAM, AAD, DAA and DAS, which exist outside 64-bit mode only (SDM 2).
//
// Flags that the manual leaves undefined are those of the additions that it describes, as on AMD
// processors of family 1Ah.
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"

namespace backplane::x86::semantics {

// Adds the adjustment, or takes it off when `direction` is -1. CF and AF say what was adjusted, the
// other flags are those of the sum.
inline constexpr auto adjust = []<class T>(auto& m, int direction, T value, T by, bool low,
                                           bool carry) __attribute__((always_inline)) {
    LazyFlags& flags = m.flags();
    const T result = static_cast<T>(value + direction * by);
    direction < 0 ? flags.set_sub(value, by) : flags.set_add(value, by);
    flags.set_carry_only(carry);
    flags.aux = (flags.aux & ~std::uint64_t{1u << 4}) | (low ? 1u << 4 : 0);
    return result;
};

// `direction` is +1 for AAA and -1 for AAS: AX is adjusted as a whole, so that AL's carry reaches
// AH.
inline constexpr auto ascii_adjust = [](auto& m, int direction) __attribute__((always_inline)) {
    const std::uint16_t before = *Accumulator<std::uint16_t>::read(m);
    const bool adjusts = (before & 0xf) > 9 || m.flags().af();
    const auto by = static_cast<std::uint16_t>(adjusts ? 0x106 : 0);
    const std::uint16_t ax = adjust(m, direction, before, by, adjusts, adjusts);
    Accumulator<std::uint16_t>::write(m, ax & 0xff0f);
    return Outcome::Next;
};

inline constexpr auto aaa = [](auto& m)
                                __attribute__((always_inline)) { return ascii_adjust(m, 1); };
inline constexpr auto aas = [](auto& m)
                                __attribute__((always_inline)) { return ascii_adjust(m, -1); };

inline constexpr auto aam = [](auto& m, auto base) __attribute__((always_inline)) {
    const std::uint8_t divisor = *base.read(m);
    if (divisor == 0) return m.raise({.vector = Vector::DivideError});
    const std::uint8_t al = *Accumulator<std::uint8_t>::read(m);
    const std::uint8_t remainder = al % divisor;
    Accumulator<std::uint16_t>::write(m,
                                      static_cast<std::uint16_t>((al / divisor) << 8 | remainder));
    m.flags().set_logic(remainder);
    return Outcome::Next;
};

inline constexpr auto aad = [](auto& m, auto base) __attribute__((always_inline)) {
    const std::uint16_t ax = *Accumulator<std::uint16_t>::read(m);
    const auto al = static_cast<std::uint8_t>(ax),
               tens = static_cast<std::uint8_t>((ax >> 8) * *base.read(m));
    Accumulator<std::uint16_t>::write(m, static_cast<std::uint8_t>(al + tens));
    m.flags().set_add(al, tens);
    return Outcome::Next;
};

// `direction` is +1 for DAA and -1 for DAS. The second adjustment looks at AL and CF as they were
// (SDM 2, DAA).
inline constexpr auto decimal_adjust = [](auto& m, int direction) __attribute__((always_inline)) {
    const LazyFlags& flags = m.flags();
    const std::uint8_t before = *Accumulator<std::uint8_t>::read(m);
    const bool low = (before & 0xf) > 9 || flags.af();
    const bool high = before > 0x99 || flags.cf();
    // DAS borrows when subtracting 6 wraps; for DAA that implies `high`.
    const bool borrow = direction < 0 && low && before < 6;
    const auto by = static_cast<std::uint8_t>((low ? 6 : 0) + (high ? 0x60 : 0));
    Accumulator<std::uint8_t>::write(m, adjust(m, direction, before, by, low, high || borrow));
    return Outcome::Next;
};

inline constexpr auto daa = [](auto& m)
                                __attribute__((always_inline)) { return decimal_adjust(m, 1); };
inline constexpr auto das = [](auto& m)
                                __attribute__((always_inline)) { return decimal_adjust(m, -1); };

}  // namespace backplane::x86::semantics
