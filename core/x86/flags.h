// The six arithmetic flags, kept as the words they are computed from.
//
// A producer stores three words and the carry; a consumer derives one flag with one or two host
// instructions, without ever asking which instruction produced it. Nothing here branches, so a
// compiler that inlines several semantics drops the stores nobody reads.
//
//   ZF  zero == 0
//   SF  sign < 0
//   PF  parity of the low byte of sign
//   CF  carry (0 or 1)
//   AF  bit 4 of aux
//   OF  bit 63 of aux, exclusive-or carry
//
// For an addition or subtraction aux is a ^ b ^ result: the carries into each bit, sign-extended
// from the operand's width. SDM 1 appendix A; the carry into the top bit differs from the carry out
// of it exactly on signed overflow.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <type_traits>

namespace backplane::x86 {

namespace rflags {
constexpr std::uint64_t cf = 1u << 0, reserved1 = 1u << 1, pf = 1u << 2, af = 1u << 4, zf = 1u << 6,
                        sf = 1u << 7;
constexpr std::uint64_t tf = 1u << 8, if_ = 1u << 9, df = 1u << 10, of = 1u << 11, iopl = 3u << 12,
                        nt = 1u << 14;
constexpr std::uint64_t rf = 1u << 16, vm = 1u << 17, ac = 1u << 18, vif = 1u << 19, vip = 1u << 20,
                        id = 1u << 21;
constexpr std::uint64_t arithmetic = cf | pf | af | zf | sf | of;
}  // namespace rflags

struct LazyFlags {
    std::uint64_t zero = 1;
    std::int64_t sign = 1;  // odd parity: RFLAGS is 2 after reset
    std::uint64_t aux = 0;
    std::uint64_t carry = 0;

    template <std::unsigned_integral T>
    static constexpr std::int64_t sign_extend(T value) {
        return static_cast<std::make_signed_t<T>>(value);
    }

    // Consumers.
    constexpr bool cf() const { return carry != 0; }
    constexpr bool zf() const { return zero == 0; }
    constexpr bool sf() const { return sign < 0; }
    constexpr bool pf() const { return (std::popcount(static_cast<std::uint8_t>(sign)) & 1) == 0; }
    constexpr bool af() const { return (aux >> 4) & 1; }
    constexpr bool of() const { return ((aux >> 63) ^ carry) & 1; }

    // Producers. `a` and `b` are the operands, the result is theirs.
    template <std::unsigned_integral T>
    constexpr void set_result(T result) {
        sign = sign_extend(result);
        zero = static_cast<std::uint64_t>(sign);
    }

    template <std::unsigned_integral T>
    constexpr void set_add(T a, T b, T result, bool carry_out) {
        set_result(result);
        aux = static_cast<std::uint64_t>(sign_extend(static_cast<T>(a ^ b ^ result)));
        carry = carry_out;
    }

    template <std::unsigned_integral T>
    constexpr void set_add(T a, T b) {
        const T result = static_cast<T>(a + b);
        set_add(a, b, result, result < a);
    }

    template <std::unsigned_integral T>
    constexpr void set_sub(T a, T b) {
        set_add(a, b, static_cast<T>(a - b), a < b);
    }

    // AND, OR, XOR, TEST: CF and OF cleared; AF is undefined and cleared as processors do.
    template <std::unsigned_integral T>
    constexpr void set_logic(T result) {
        set_result(result);
        aux = 0;
        carry = 0;
    }

    // INC and DEC leave CF alone, so the overflow kept in aux must be expressed against the old
    // carry.
    template <std::unsigned_integral T>
    constexpr void set_keeping_carry(T a, T b, T result, bool carry_out) {
        set_result(result);
        aux = static_cast<std::uint64_t>(sign_extend(static_cast<T>(a ^ b ^ result))) ^
              ((carry ^ static_cast<std::uint64_t>(carry_out)) << 63);
    }

    // STC, CLC, CMC: only CF changes; aux is re-expressed so that OF stays.
    constexpr void set_carry_only(bool value) {
        aux ^= (carry ^ static_cast<std::uint64_t>(value)) << 63;
        carry = value;
    }

    // Rotates and shifts: CF and OF as given, the others by set_result or untouched.
    constexpr void set_carry_and_overflow(bool cf_value, bool of_value) {
        carry = cf_value;
        aux = (aux & ~(std::uint64_t{1} << 63)) |
              (static_cast<std::uint64_t>(cf_value != of_value) << 63);
    }

    constexpr std::uint64_t to_rflags() const {
        return (cf() ? rflags::cf : 0) | (pf() ? rflags::pf : 0) | (af() ? rflags::af : 0) |
               (zf() ? rflags::zf : 0) | (sf() ? rflags::sf : 0) | (of() ? rflags::of : 0);
    }

    constexpr void from_rflags(std::uint64_t value) {
        zero = (value & rflags::zf) ? 0 : 1;
        // Bit 63 gives SF; bit 0 set makes the low byte's parity odd, that is PF = 0.
        const std::uint64_t sign_bits = ((value & rflags::sf) ? std::uint64_t{1} << 63 : 0) |
                                        ((value & rflags::pf) ? 0 : 1);
        sign = static_cast<std::int64_t>(sign_bits);
        carry = value & rflags::cf;
        const bool overflow = (value & rflags::of) != 0;
        aux = ((value & rflags::af) ? 1u << 4 : 0) |
              (static_cast<std::uint64_t>(overflow != (carry != 0)) << 63);
    }
};

// The sixteen conditions in the encoding order of Jcc, SETcc and CMOVcc (SDM 1 appendix B).
enum class Condition : std::uint8_t { O, NO, B, AE, E, NE, BE, A, S, NS, P, NP, L, GE, LE, G };

template <Condition condition>
constexpr bool holds(const LazyFlags& flags) {
    using enum Condition;
    if constexpr ((static_cast<unsigned>(condition) & 1) != 0)
        return !holds<static_cast<Condition>(static_cast<unsigned>(condition) & ~1u)>(flags);
    else if constexpr (condition == O)
        return flags.of();
    else if constexpr (condition == B)
        return flags.cf();
    else if constexpr (condition == E)
        return flags.zf();
    else if constexpr (condition == BE)
        return (flags.carry | static_cast<std::uint64_t>(flags.zf())) != 0;
    else if constexpr (condition == S)
        return flags.sf();
    else if constexpr (condition == P)
        return flags.pf();
    else if constexpr (condition == L)
        return flags.sf() != flags.of();
    else
        return (static_cast<unsigned>(flags.zf()) | (flags.sf() != flags.of())) != 0;
}

}  // namespace backplane::x86
