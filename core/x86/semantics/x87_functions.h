// Rounding, roots, remainders and the transcendental functions of the x87 unit (SDM 2).
#pragma once

#include "x86/semantics/x87_transfer.h"

namespace backplane::x86::semantics {

// A stack fault leaves the conditions alone but for C2: the operation counts as complete.
template <std::uint16_t conditions>
inline bool function_underflow(CpuState& state, X87Stack& stack) {
    state.x87.status = static_cast<std::uint16_t>(state.x87.status &
                                                  ~(conditions & x87_status::c2));
    return stack.underflow();
}

template <std::uint16_t conditions>
inline host::HostX87 host_for(const X87State& x87) {
    if constexpr (conditions == 0)
        return host::HostX87{x87};
    else
        return host::HostX87{x87, host::HostX87::Conditions::FromGuest};
}

// ST(0) := f(ST(0)). `conditions` are the condition bits that the instruction defines besides C1.
template <class Function, std::uint16_t conditions = 0>
inline constexpr auto x87_unary = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    if (stack.is_empty(0)) [[unlikely]] {
        if (function_underflow<conditions>(m.state(), stack)) stack.set(0, x87_indefinite);
        return Outcome::Next;
    }
    const auto host = host_for<conditions>(m.state().x87);
    const auto result = Function::compute(stack.st(0));
    complete<Pop::None>(stack, 0, result.value, stack.accept(result.status, conditions));
    return Outcome::Next;
}>;

inline constexpr auto fabs = x87_unary<host::Fabs>;
inline constexpr auto fchs = x87_unary<host::Fchs>;
inline constexpr auto fsqrt = x87_unary<host::Fsqrt>;
inline constexpr auto frndint = x87_unary<host::Frndint>;
inline constexpr auto f2xm1 = x87_unary<host::F2xm1>;
inline constexpr auto fsin = x87_unary<host::Fsin, x87_status::c2>;
inline constexpr auto fcos = x87_unary<host::Fcos, x87_status::c2>;

// ST(0) := f(ST(0), ST(1)).
template <class Function, std::uint16_t conditions = 0>
inline constexpr auto x87_scaling = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    if (stack.is_empty(0) || stack.is_empty(1)) [[unlikely]] {
        if (function_underflow<conditions>(m.state(), stack)) stack.set(0, x87_indefinite);
        return Outcome::Next;
    }
    const auto host = host_for<conditions>(m.state().x87);
    const auto result = Function::compute(stack.st(0), stack.st(1));
    complete<Pop::None>(stack, 0, result.value, stack.accept(result.status, conditions));
    return Outcome::Next;
}>;

inline constexpr auto fscale = x87_scaling<host::Fscale>;
inline constexpr auto fprem = x87_scaling<host::Fprem, x87_comparison>;
inline constexpr auto fprem1 = x87_scaling<host::Fprem1, x87_comparison>;

// ST(1) := f(ST(0), ST(1)), then a pop.
template <class Function>
inline constexpr auto x87_folding = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    if (stack.is_empty(0) || stack.is_empty(1)) [[unlikely]] {
        if (stack.underflow()) complete<Pop::Once>(stack, 1, x87_indefinite, 0);
        return Outcome::Next;
    }
    const host::HostX87 host{m.state().x87};
    const auto result = Function::compute(stack.st(0), stack.st(1));
    complete<Pop::Once>(stack, 1, result.value, stack.accept(result.status));
    return Outcome::Next;
}>;

inline constexpr auto fpatan = x87_folding<host::Fpatan>;
inline constexpr auto fyl2x = x87_folding<host::Fyl2x>;
inline constexpr auto fyl2xp1 = x87_folding<host::Fyl2xp1>;

// ST(0) becomes two values. An argument out of range (C2) leaves the stack as it was.
template <class Function, std::uint16_t conditions = 0>
inline constexpr auto x87_splitting = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const bool empty = stack.is_empty(0), full = !stack.is_empty(7);
    if (empty || full) [[unlikely]] {
        const bool masked = function_underflow<conditions>(m.state(), stack);
        if (!empty) stack.overflow();
        if (masked) {
            stack.set(0, x87_indefinite);
            stack.push(x87_indefinite);
        }
        return Outcome::Next;
    }
    const auto host = host_for<conditions>(m.state().x87);
    const auto result = Function::compute(stack.st(0));
    const std::uint16_t unmasked = stack.accept(result.status, conditions);
    if ((unmasked & x87_status::before_operation) || (result.status & conditions & x87_status::c2))
        return Outcome::Next;
    stack.set(0, result.st1);
    stack.push(result.st0);
    return Outcome::Next;
}>;

inline constexpr auto fptan = x87_splitting<host::Fptan, x87_status::c2>;
inline constexpr auto fsincos = x87_splitting<host::Fsincos, x87_status::c2>;
inline constexpr auto fxtract = x87_splitting<host::Fxtract>;

}  // namespace backplane::x86::semantics
