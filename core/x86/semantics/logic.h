// AND, OR, XOR, TEST and NOT (SDM 2).
#pragma once

#include "x86/machine.h"
#include "x86/operand.h"

namespace backplane::x86::semantics {

inline constexpr auto and_ = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value & *b); });
    if (!a) return Outcome::Fault;
    m.flags().set_logic(static_cast<T>(*a & *b));
    return Outcome::Next;
};

inline constexpr auto or_ = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value | *b); });
    if (!a) return Outcome::Fault;
    m.flags().set_logic(static_cast<T>(*a | *b));
    return Outcome::Next;
};

inline constexpr auto xor_ = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    const auto b = src.read(m);
    if (!b) return Outcome::Fault;
    const auto a = dst.update(m, [&](T value) { return static_cast<T>(value ^ *b); });
    if (!a) return Outcome::Fault;
    m.flags().set_logic(static_cast<T>(*a ^ *b));
    return Outcome::Next;
};

// XOR and SUB of a register with itself: nothing depends on what it held.
inline constexpr auto clear = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    dst.write(m, T{0});
    m.flags().set_logic(T{0});
    return Outcome::Next;
};

inline constexpr auto test = [](auto& m, auto first, auto second) __attribute__((always_inline)) {
    using T = typename decltype(first)::Value;
    const auto b = second.read(m);
    if (!b) return Outcome::Fault;
    const auto a = first.read(m);
    if (!a) return Outcome::Fault;
    m.flags().set_logic(static_cast<T>(*a & *b));
    return Outcome::Next;
};

// No flag changes.
inline constexpr auto not_ = [](auto& m, auto dst) __attribute__((always_inline)) {
    using T = typename decltype(dst)::Value;
    return dst.update(m, [](T value) { return static_cast<T>(~value); }) ? Outcome::Next
                                                                         : Outcome::Fault;
};

}  // namespace backplane::x86::semantics
