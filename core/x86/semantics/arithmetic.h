// ADD, ADC, SUB, SBB, CMP, INC, DEC and NEG (SDM 2).
//
// A semantic is a generic lambda over the machine and its operands. Order inside a body: all reads,
// then compute, then writes, then flags, so that a fault leaves the state untouched.
#pragma once

#include "x86/machine.h"
#include "x86/operand.h"

namespace backplane::x86::semantics {

inline constexpr auto add = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = dst.update(m, [&](auto value) { return value + *b; });
    if (!a) return Outcome::Fault;
    m.flags().set_add(*a, *b);
    return Outcome::Next;
};

inline constexpr auto adc = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const std::uint64_t carry = m.flags().carry;
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value + *b + carry); });
    if (!a) return Outcome::Fault;
    const T sum = static_cast<T>(*a + *b), result = static_cast<T>(sum + carry);
    m.flags().set_add(*a, *b, result, sum < *a || result < sum);
    return Outcome::Next;
};

inline constexpr auto sub = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = dst.update(m, [&](auto value) { return value - *b; });
    if (!a) return Outcome::Fault;
    m.flags().set_sub(*a, *b);
    return Outcome::Next;
};

inline constexpr auto sbb = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const std::uint64_t borrow = m.flags().carry;
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value - *b - borrow); });
    if (!a) return Outcome::Fault;
    const T difference = static_cast<T>(*a - *b), result = static_cast<T>(difference - borrow);
    m.flags().set_add(*a, *b, result, *a < *b || difference < borrow);
    return Outcome::Next;
};

inline constexpr auto cmp = [](auto& m, auto first, auto second) __attribute__((always_inline)) {
    const auto b = second.read(m);
    if (!b) return Outcome::Fault;
    const auto a = first.read(m);
    if (!a) return Outcome::Fault;
    m.flags().set_sub(*a, *b);
    return Outcome::Next;
};

inline constexpr auto inc = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto a = dst.update(m, [](T value) { return static_cast<T>(value + 1); });
    if (!a) return Outcome::Fault;
    const T result = static_cast<T>(*a + 1);
    m.flags().set_keeping_carry(*a, T{1}, result, result == 0);
    return Outcome::Next;
};

inline constexpr auto dec = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto a = dst.update(m, [](T value) { return static_cast<T>(value - 1); });
    if (!a) return Outcome::Fault;
    m.flags().set_keeping_carry(*a, T{1}, static_cast<T>(*a - 1), *a == 0);
    return Outcome::Next;
};

inline constexpr auto neg = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto a = dst.update(m, [](T value) { return static_cast<T>(0 - value); });
    if (!a) return Outcome::Fault;
    m.flags().set_sub(T{0}, *a);
    return Outcome::Next;
};

// ADCX and ADOX: two carry chains side by side, the one in CF, the other in OF. No other flag
// changes (SDM 2).
inline constexpr auto adcx = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    LazyFlags& flags = m.flags();
    const T a = *dst.read(m), sum = static_cast<T>(a + *b), carry = flags.cf();
    const T result = static_cast<T>(sum + carry);
    dst.write(m, result);
    flags.set_carry_only(sum < a || result < sum);
    return Outcome::Next;
};

inline constexpr auto adox = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    LazyFlags& flags = m.flags();
    const T a = *dst.read(m), sum = static_cast<T>(a + *b), carry = flags.of();
    const T result = static_cast<T>(sum + carry);
    dst.write(m, result);
    flags.set_carry_and_overflow(flags.cf(), sum < a || result < sum);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
