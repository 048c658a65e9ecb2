// Loads, stores, exchanges and constants of the x87 unit (SDM 2).
#pragma once

#include "x86/semantics/x87_arithmetic.h"

namespace backplane::x86::semantics {

// True when there is no room; the instruction is then complete.
inline bool stack_is_full(X87Stack& stack) {
    if (stack.is_empty(7)) [[likely]]
        return false;
    if (stack.overflow()) stack.push(x87_indefinite);
    return true;
}

// FLD m32 and m64, FILD, FBLD.
inline constexpr auto x87_load = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    const auto operand = src.read(m);
    if (!operand) return Outcome::Fault;
    X87Stack stack{m.state()};
    if (stack_is_full(stack)) return Outcome::Next;
    const host::HostX87 host{m.state().x87};
    const auto result = host::load(*operand);
    stack.accept(result.status);
    // Processors differ in whether an unmasked denormal operand is loaded.
    if (host.has_pushed(result.status)) stack.push(result.value);
    return Outcome::Next;
}>;

// FLD m80 takes any bit pattern.
inline constexpr auto fld_extended = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    const auto operand = src.read(m);
    if (!operand) return Outcome::Fault;
    X87Stack stack{m.state()};
    if (stack_is_full(stack)) return Outcome::Next;
    stack.accept(0);
    stack.push(to_float80(*operand));
    return Outcome::Next;
}>;

inline constexpr auto fld_register = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned from = src.index(m);
    // An empty source is found before a full stack.
    if (stack.is_empty(from)) [[unlikely]] {
        if (stack.underflow()) stack.push(x87_indefinite);
        return Outcome::Next;
    }
    if (stack_is_full(stack)) return Outcome::Next;
    stack.accept(0);
    const Float80 value = stack.st(from);
    stack.push(value);
    return Outcome::Next;
}>;

template <class Constant>
inline constexpr auto x87_constant = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    if (stack_is_full(stack)) return Outcome::Next;
    const host::HostX87 host{m.state().x87};
    const auto result = Constant::compute();
    stack.accept(result.status);
    stack.push(result.value);
    return Outcome::Next;
}>;

inline constexpr auto fld1 = x87_constant<host::Fld1>;
inline constexpr auto fldl2t = x87_constant<host::Fldl2t>;
inline constexpr auto fldl2e = x87_constant<host::Fldl2e>;
inline constexpr auto fldpi = x87_constant<host::Fldpi>;
inline constexpr auto fldlg2 = x87_constant<host::Fldlg2>;
inline constexpr auto fldln2 = x87_constant<host::Fldln2>;
inline constexpr auto fldz = x87_constant<host::Fldz>;

// FST m32 and m64, FIST, FISTTP, FBSTP. The host's store of an indefinite gives the masked response
// for an empty register.
template <Pop pop = Pop::None>
inline constexpr auto x87_store = x87<[](auto& m, auto dst) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    typename decltype(dst)::Value value{};
    X87State& x87 = m.state().x87;
    const X87State before = x87;
    {
        if (stack.is_empty(0)) [[unlikely]] {
            if (!stack.underflow()) return Outcome::Next;
            const host::HostX87 host{x87};
            host::store(x87_indefinite, value);
        } else {
            const host::HostX87 host{x87};
            const std::uint16_t status = host::store(stack.st(0), value);
            if (stack.accept(status) & x87_status::prevents_store) return Outcome::Next;
        }
    }
    if (!dst.write(m, value)) {
        x87 = before;
        return Outcome::Fault;
    }
    pop_stack<pop>(stack);
    return Outcome::Next;
}>;

inline constexpr auto fstp_extended = x87<[](auto& m, auto dst) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const bool empty = stack.is_empty(0);
    if (empty && stack.unmasked(x87_status::invalid)) {
        stack.underflow();
        return Outcome::Next;
    }
    if (!dst.write(m, to_real80(empty ? x87_indefinite : stack.st(0)))) return Outcome::Fault;
    if (empty)
        stack.underflow();
    else
        stack.accept(0);
    stack.pop();
    return Outcome::Next;
}>;

// FST ST(i) and FSTP ST(i).
template <Pop pop = Pop::None>
inline constexpr auto x87_store_register =
    x87<[](auto& m, auto dst) __attribute__((always_inline)) {
        X87Stack stack{m.state()};
        const unsigned to = dst.index(m);
        if (stack.is_empty(0)) [[unlikely]] {
            if (stack.underflow()) complete<pop>(stack, to, x87_indefinite, 0);
            return Outcome::Next;
        }
        stack.accept(0);
        const Float80 value = stack.st(0);
        complete<pop>(stack, to, value, 0);
        return Outcome::Next;
    }>;

inline constexpr auto fst_register = x87_store_register<>;
inline constexpr auto fstp_register = x87_store_register<Pop::Once>;

// An encoding of FSTP ST(i) that no manual has: an empty ST(0) is popped and nothing is stored or
// raised.
inline constexpr auto fstpnce = x87<[](auto& m, auto dst) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned to = dst.index(m);
    const bool empty = stack.is_empty(0);
    stack.accept(0);
    const Float80 value = stack.st(0);
    if (!empty) stack.set(to, value);
    stack.pop();
    return Outcome::Next;
}>;

inline constexpr auto fxch = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned other = src.index(m);
    const bool empty = stack.is_empty(0) || stack.is_empty(other);
    if (!empty) [[likely]] {
        stack.accept(0);
    } else if (!stack.underflow()) {
        return Outcome::Next;
    }
    const Float80 first = stack.is_empty(0) ? x87_indefinite : stack.st(0);
    const Float80 second = stack.is_empty(other) ? x87_indefinite : stack.st(other);
    stack.set(0, second);
    stack.set(other, first);
    return Outcome::Next;
}>;

// An empty register is a stack fault whether the condition holds or not. C1 stays otherwise.
template <Condition condition>
inline constexpr auto fcmov = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned from = src.index(m);
    if (stack.is_empty(0) || stack.is_empty(from)) [[unlikely]] {
        if (stack.underflow()) stack.set(0, x87_indefinite);
        return Outcome::Next;
    }
    if (holds<condition>(m.flags())) stack.set(0, stack.st(from));
    return Outcome::Next;
}>;

}  // namespace backplane::x86::semantics
