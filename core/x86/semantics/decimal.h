// AAA, AAS, AAM, AAD, DAA and DAS, which exist outside 64-bit mode only (SDM 2).
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"

namespace backplane::x86::semantics {

// OF (and for AAA and AAS also SF, ZF, PF) is undefined; it is cleared.
inline constexpr auto set_decimal_flags = [](auto& m, std::uint8_t al, bool adjust, bool carry)
                                              __attribute__((always_inline)) {
                                                  LazyFlags& flags = m.flags();
                                                  flags.set_result(al);
                                                  flags.aux = adjust ? 1u << 4 : 0;
                                                  flags.set_carry_and_overflow(carry, false);
                                              };

// `direction` is +1 for AAA and -1 for AAS: AX is adjusted as a whole, so that AL's carry reaches
// AH.
inline constexpr auto ascii_adjust = [](auto& m, int direction) __attribute__((always_inline)) {
    std::uint16_t ax = *Accumulator<std::uint16_t>::read(m);
    const bool adjust = (ax & 0xf) > 9 || m.flags().af();
    if (adjust) ax = static_cast<std::uint16_t>(ax + direction * 0x106);
    ax &= 0xff0f;
    Accumulator<std::uint16_t>::write(m, ax);
    set_decimal_flags(m, static_cast<std::uint8_t>(ax), adjust, adjust);
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
    set_decimal_flags(m, remainder, false, false);
    return Outcome::Next;
};

inline constexpr auto aad = [](auto& m, auto base) __attribute__((always_inline)) {
    const std::uint16_t ax = *Accumulator<std::uint16_t>::read(m);
    const std::uint8_t al = static_cast<std::uint8_t>(ax + (ax >> 8) * *base.read(m));
    Accumulator<std::uint16_t>::write(m, al);
    set_decimal_flags(m, al, false, false);
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
    const auto al = static_cast<std::uint8_t>(before +
                                              direction * ((low ? 6 : 0) + (high ? 0x60 : 0)));
    Accumulator<std::uint8_t>::write(m, al);
    set_decimal_flags(m, al, low, high || borrow);
    return Outcome::Next;
};

inline constexpr auto daa = [](auto& m)
                                __attribute__((always_inline)) { return decimal_adjust(m, 1); };
inline constexpr auto das = [](auto& m)
                                __attribute__((always_inline)) { return decimal_adjust(m, -1); };

}  // namespace backplane::x86::semantics
