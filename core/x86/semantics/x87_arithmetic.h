// The basic arithmetic and the comparisons of the x87 unit (SDM 2).
#pragma once

#include "x86/machine.h"
#include "x86/x87_execution.h"

namespace backplane::x86::semantics {

enum class Pop : std::uint8_t { None, Once, Twice };

template <Pop pop>
inline void pop_stack(X87Stack& stack) {
    for (int i = 0; i < static_cast<int>(pop); ++i)
        stack.pop();
}

// Puts a result into ST(i) unless an unmasked exception says that the operation did not happen.
template <Pop pop>
inline void complete(X87Stack& stack, unsigned i, const Float80& value, std::uint16_t unmasked) {
    if (unmasked & x87_status::before_operation) return;
    stack.set(i, value);
    pop_stack<pop>(stack);
}

// ST(dst) := ST(dst) op ST(src).
template <class Operation, Pop pop = Pop::None>
inline constexpr auto x87_binary =
    x87<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        X87Stack stack{m.state()};
        const unsigned to = dst.index(m), from = src.index(m);
        if (stack.is_empty(to) || stack.is_empty(from)) [[unlikely]] {
            if (stack.underflow()) complete<pop>(stack, to, x87_indefinite, 0);
            return Outcome::Next;
        }
        const host::HostX87 host{m.state().x87};
        const auto result = Operation::compute(stack.st(to), stack.st(from));
        complete<pop>(stack, to, result.value, stack.accept(result.status));
        return Outcome::Next;
    }>;

// ST(0) := ST(0) op memory.
template <class Operation>
inline constexpr auto x87_binary_memory = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    const auto operand = src.read(m);
    if (!operand) return Outcome::Fault;
    X87Stack stack{m.state()};
    if (stack.is_empty(0)) [[unlikely]] {
        if (stack.underflow()) stack.set(0, x87_indefinite);
        return Outcome::Next;
    }
    const host::HostX87 host{m.state().x87};
    const auto result = Operation::compute(stack.st(0), *operand);
    complete<Pop::None>(stack, 0, result.value, stack.accept(result.status));
    return Outcome::Next;
}>;

inline constexpr auto fadd = x87_binary<host::Fadd>;
inline constexpr auto fmul = x87_binary<host::Fmul>;
inline constexpr auto fsub = x87_binary<host::Fsub>;
inline constexpr auto fsubr = x87_binary<host::Fsubr>;
inline constexpr auto fdiv = x87_binary<host::Fdiv>;
inline constexpr auto fdivr = x87_binary<host::Fdivr>;
inline constexpr auto faddp = x87_binary<host::Fadd, Pop::Once>;
inline constexpr auto fmulp = x87_binary<host::Fmul, Pop::Once>;
inline constexpr auto fsubp = x87_binary<host::Fsub, Pop::Once>;
inline constexpr auto fsubrp = x87_binary<host::Fsubr, Pop::Once>;
inline constexpr auto fdivp = x87_binary<host::Fdiv, Pop::Once>;
inline constexpr auto fdivrp = x87_binary<host::Fdivr, Pop::Once>;
inline constexpr auto fadd_memory = x87_binary_memory<host::Fadd>;
inline constexpr auto fmul_memory = x87_binary_memory<host::Fmul>;
inline constexpr auto fsub_memory = x87_binary_memory<host::Fsub>;
inline constexpr auto fsubr_memory = x87_binary_memory<host::Fsubr>;
inline constexpr auto fdiv_memory = x87_binary_memory<host::Fdiv>;
inline constexpr auto fdivr_memory = x87_binary_memory<host::Fdivr>;

// Comparisons answer in C3, C2 and C0; "unordered" is all three set, and what a masked stack fault
// gives.
inline constexpr std::uint16_t x87_comparison = x87_status::c0 | x87_status::c2 | x87_status::c3;

template <Pop pop>
inline void complete_comparison(X87Stack& stack, std::uint16_t status) {
    if (!(stack.accept(status, x87_comparison) & x87_status::before_operation))
        pop_stack<pop>(stack);
}

template <Pop pop>
inline Outcome compare_empty(CpuState& state, X87Stack& stack) {
    const bool masked = stack.underflow();
    state.x87.status |= x87_comparison;
    if (masked) pop_stack<pop>(stack);
    return Outcome::Next;
}

template <class Operation, Pop pop = Pop::None>
inline constexpr auto x87_compare = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned from = src.index(m);
    if (stack.is_empty(0) || stack.is_empty(from)) [[unlikely]]
        return compare_empty<pop>(m.state(), stack);
    const host::HostX87 host{m.state().x87};
    complete_comparison<pop>(stack, Operation::compute(stack.st(0), stack.st(from)));
    return Outcome::Next;
}>;

template <class Operation, Pop pop = Pop::None>
inline constexpr auto x87_compare_memory =
    x87<[](auto& m, auto src) __attribute__((always_inline)) {
        const auto operand = src.read(m);
        if (!operand) return Outcome::Fault;
        X87Stack stack{m.state()};
        if (stack.is_empty(0)) [[unlikely]]
            return compare_empty<pop>(m.state(), stack);
        const host::HostX87 host{m.state().x87};
        complete_comparison<pop>(stack, Operation::compute(stack.st(0), *operand));
        return Outcome::Next;
    }>;

// The same comparison with the answer in ZF, PF and CF; the condition codes stay.
template <class Operation, Pop pop = Pop::None>
inline constexpr auto x87_compare_flags = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const unsigned from = src.index(m);
    const auto set_flags = [&](std::uint16_t status) {
        m.flags().from_rflags((status & x87_status::c3 ? rflags::zf : 0) |
                              (status & x87_status::c2 ? rflags::pf : 0) |
                              (status & x87_status::c0 ? rflags::cf : 0));
        pop_stack<pop>(stack);
    };
    if (stack.is_empty(0) || stack.is_empty(from)) [[unlikely]] {
        if (stack.underflow()) set_flags(x87_comparison);
        return Outcome::Next;
    }
    const host::HostX87 host{m.state().x87};
    const std::uint16_t status = Operation::compute(stack.st(0), stack.st(from));
    const std::uint16_t raised = status & x87_status::flags;
    if (!(stack.accept(raised | (m.state().x87.status & x87_status::c1)) &
          x87_status::before_operation))
        set_flags(status);
    return Outcome::Next;
}>;

inline constexpr auto fcom = x87_compare<host::Fcom>;
inline constexpr auto fcomp = x87_compare<host::Fcom, Pop::Once>;
inline constexpr auto fcompp = x87_compare<host::Fcom, Pop::Twice>;
inline constexpr auto fucom = x87_compare<host::Fucom>;
inline constexpr auto fucomp = x87_compare<host::Fucom, Pop::Once>;
inline constexpr auto fucompp = x87_compare<host::Fucom, Pop::Twice>;
inline constexpr auto fcom_memory = x87_compare_memory<host::Fcom>;
inline constexpr auto fcomp_memory = x87_compare_memory<host::Fcom, Pop::Once>;
inline constexpr auto fcomi = x87_compare_flags<host::Fcom>;
inline constexpr auto fcomip = x87_compare_flags<host::Fcom, Pop::Once>;
inline constexpr auto fucomi = x87_compare_flags<host::Fucom>;
inline constexpr auto fucomip = x87_compare_flags<host::Fucom, Pop::Once>;

inline constexpr auto ftst = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    if (stack.is_empty(0)) [[unlikely]]
        return compare_empty<Pop::None>(m.state(), stack);
    const host::HostX87 host{m.state().x87};
    complete_comparison<Pop::None>(stack, host::Ftst::compute(stack.st(0)));
    return Outcome::Next;
}>;

// Classifies ST(0), empty ones too (C3 and C0); C1 is the sign in any case. Raises nothing.
inline constexpr auto fxam = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    const host::HostX87 host{m.state().x87};
    std::uint16_t status = host::Fxam::compute(stack.st(0));
    if (stack.is_empty(0))
        status = static_cast<std::uint16_t>((status & x87_status::c1) | x87_status::c3 |
                                            x87_status::c0);
    stack.accept(status & x87_status::conditions, x87_comparison);
    return Outcome::Next;
}>;

}  // namespace backplane::x86::semantics
