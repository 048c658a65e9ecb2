// MUL, IMUL, DIV and IDIV (SDM 2).
#pragma once

#include "x86/doubled.h"
#include "x86/implicit_operand.h"
#include "x86/machine.h"

#include <limits>
#include <type_traits>

namespace backplane::x86 {

// The pair of registers MUL and DIV imply: AX for bytes, otherwise the data register above the
// accumulator.
template <class T>
struct AccumulatorPair {
    using Wide = typename Doubled<T>::Unsigned;

    template <class M>
    static Wide read(M& m) {
        if constexpr (sizeof(T) == 1)
            return *Accumulator<std::uint16_t>::read(m);
        else
            return static_cast<Wide>(static_cast<Wide>(*Data<T>::read(m)) << (8 * sizeof(T)) |
                                     *Accumulator<T>::read(m));
    }

    // Product: low and high half. Quotient and remainder go to the same places.
    template <class M>
    static void write(M& m, T low, T high) {
        Accumulator<T>::write(m, low);
        if constexpr (sizeof(T) == 1)
            AccumulatorHigh::write(m, high);
        else
            Data<T>::write(m, high);
    }
};

// 128-bit division is a library call to a compiler; the dividend's high half is below the divisor
// here, so the processor's own instruction cannot overflow.
struct Division {
    std::uint64_t quotient, remainder;
};

inline Division divide_wide(unsigned __int128 dividend, std::uint64_t divisor) {
#if defined(__x86_64__)
    std::uint64_t quotient, remainder;
    asm("divq %4"
        : "=a"(quotient), "=d"(remainder)
        : "a"(static_cast<std::uint64_t>(dividend)),
          "d"(static_cast<std::uint64_t>(dividend >> 64)), "r"(divisor)
        : "cc");
    return {quotient, remainder};
#else
    return {static_cast<std::uint64_t>(dividend / divisor),
            static_cast<std::uint64_t>(dividend % divisor)};
#endif
}

template <class T>
Division divide(typename Doubled<T>::Unsigned dividend, T divisor) {
    if constexpr (sizeof(T) == 8)
        return divide_wide(dividend, divisor);
    else
        return {static_cast<std::uint64_t>(dividend / divisor),
                static_cast<std::uint64_t>(dividend % divisor)};
}

namespace semantics {

// CF and OF say that the high half holds something. The manual leaves SF, ZF, AF and PF undefined;
// AMD processors of family 1Ah keep them.
inline constexpr auto set_product_flags =
    [](auto& m, bool overflow)
        __attribute__((always_inline)) { m.flags().set_carry_and_overflow(overflow, overflow); };

inline constexpr auto mul = [](auto& m, auto src) __attribute__((always_inline)) {
    using T = typename decltype(src)::Value;
    using Wide = typename Doubled<T>::Unsigned;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const Wide product = static_cast<Wide>(static_cast<Wide>(*Accumulator<T>::read(m)) * *b);
    const T low = static_cast<T>(product), high = static_cast<T>(product >> (8 * sizeof(T)));
    AccumulatorPair<T>::write(m, low, high);
    set_product_flags(m, high != 0);
    return Outcome::Next;
};

inline constexpr auto signed_product = []<class T>(T a, T b) __attribute__((always_inline)) {
    using Wide = typename Doubled<T>::Signed;
    using Signed = std::make_signed_t<T>;
    return static_cast<typename Doubled<T>::Unsigned>(static_cast<Wide>(static_cast<Signed>(a)) *
                                                      static_cast<Wide>(static_cast<Signed>(b)));
};

inline constexpr auto does_not_fit = []<class T>(T low, T high) __attribute__((always_inline)) {
    return high != static_cast<T>(static_cast<std::make_signed_t<T>>(low) < 0 ? ~T{0} : T{0});
};

inline constexpr auto imul_wide = [](auto& m, auto src) __attribute__((always_inline)) {
    using T = typename decltype(src)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto product = signed_product(*Accumulator<T>::read(m), *b);
    const T low = static_cast<T>(product), high = static_cast<T>(product >> (8 * sizeof(T)));
    AccumulatorPair<T>::write(m, low, high);
    set_product_flags(m, does_not_fit(low, high));
    return Outcome::Next;
};

inline constexpr auto imul_of = [](auto& m, auto dst, auto first,
                                   auto second) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = second.read(m);
    if (!b) return Outcome::Fault;
    const auto a = first.read(m);
    if (!a) return Outcome::Fault;
    const auto product = signed_product(*a, *b);
    const T low = static_cast<T>(product), high = static_cast<T>(product >> (8 * sizeof(T)));
    dst.write(m, low);
    set_product_flags(m, does_not_fit(low, high));
    return Outcome::Next;
};

inline constexpr auto imul = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    return imul_of(m, dst, dst, src);
};

// The manual leaves all flags undefined behind DIV and IDIV. Here alone no processor is followed:
// all engines keep all flags, so that an engine that compiles may divide in another way.
inline constexpr auto div = [](auto& m, auto src) __attribute__((always_inline)) {
    using T = typename decltype(src)::Value;
    const auto divisor = src.read(m);
    if (!divisor) return Outcome::Fault;
    const auto dividend = AccumulatorPair<T>::read(m);
    // The quotient fits exactly when the dividend's high half is below the divisor; that covers
    // zero too.
    if (static_cast<T>(dividend >> (8 * sizeof(T))) >= *divisor)
        return m.raise({.vector = Vector::DivideError});
    const Division result = divide<T>(dividend, *divisor);
    AccumulatorPair<T>::write(m, static_cast<T>(result.quotient), static_cast<T>(result.remainder));
    return Outcome::Next;
};

inline constexpr auto idiv = [](auto& m, auto src) __attribute__((always_inline)) {
    using T = typename decltype(src)::Value;
    using Wide = typename Doubled<T>::Unsigned;
    const auto divisor = src.read(m);
    if (!divisor) return Outcome::Fault;
    const Wide dividend = AccumulatorPair<T>::read(m);

    // By magnitudes: the quotient truncates towards zero and the remainder has the dividend's sign.
    const bool negative_dividend = (dividend >> (16 * sizeof(T) - 1)) & 1;
    const bool negative_divisor = (*divisor >> (8 * sizeof(T) - 1)) & 1;
    const Wide magnitude = negative_dividend ? static_cast<Wide>(0 - dividend) : dividend;
    const T by = negative_divisor ? static_cast<T>(0 - *divisor) : *divisor;
    if (static_cast<T>(magnitude >> (8 * sizeof(T))) >= by)
        return m.raise({.vector = Vector::DivideError});
    const Division result = divide<T>(magnitude, by);

    const bool negative = negative_dividend != negative_divisor;
    const std::uint64_t largest = std::numeric_limits<std::make_signed_t<T>>::max() +
                                  std::uint64_t{negative};
    if (result.quotient > largest) return m.raise({.vector = Vector::DivideError});
    AccumulatorPair<T>::write(
        m, static_cast<T>(negative ? 0 - result.quotient : result.quotient),
        static_cast<T>(negative_dividend ? 0 - result.remainder : result.remainder));
    return Outcome::Next;
};

}  // namespace semantics
}  // namespace backplane::x86
