// Near jumps, calls, returns and loops, and instructions fused with the branch behind them (SDM 2).
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"
#include "x86/segmented_address.h"
#include "x86/stack.h"

namespace backplane::x86::semantics {

// 64-bit targets must be canonical, others within the code segment: #GP(0). 64-bit code has no
// limit for the 16-bit targets of AMD processors.
inline constexpr auto target_is_valid = [](auto& m, auto target) __attribute__((always_inline)) {
    if constexpr (sizeof(target) < 8)
        return target <= m.state().segments[CS].limit || m.state().code64();
    else
        return is_canonical(target);
};

// A relative 64-bit branch that changes nothing but RIP is left to the engine, which looks at the
// target when it finds the way there: Machine::jump of a direct branch.
inline constexpr auto go_to = [](auto& m, auto kind, auto target) __attribute__((always_inline)) {
    constexpr bool is_relative = requires { decltype(kind)::is_relative; };
    if constexpr (sizeof(target) < 8 || !is_relative)
        if (!target_is_valid(m, target)) return m.raise({.vector = Vector::GeneralProtection});
    return m.jump(target);
};

inline constexpr auto jmp = [](auto& m, auto target) __attribute__((always_inline)) {
    const auto ip = target.read(m);
    if (!ip) return Outcome::Fault;
    return go_to(m, target, *ip);
};

template <Condition condition>
inline constexpr auto jcc = [](auto& m, auto target) __attribute__((always_inline)) {
    if (!holds<condition>(m.flags())) return Outcome::Next;
    return go_to(m, target, *target.read(m));
};

inline constexpr auto call = [](auto& m, auto stack, auto target) __attribute__((always_inline)) {
    using T = typename decltype(target)::Value;
    const auto ip = target.read(m);
    if (!ip) return Outcome::Fault;
    // The push is judged before the target.
    if (!target_is_valid(m, *ip)) [[unlikely]] {
        if (!stack.template probe<T>(m, stack.pointer(m) - sizeof(T))) return Outcome::Fault;
        return m.raise({.vector = Vector::GeneralProtection});
    }
    if (!push_value(m, stack, static_cast<T>(m.next_ip()))) return Outcome::Fault;
    return m.jump(*ip);
};

// Op::immediate holds how many bytes of arguments the return releases.
template <class T>
inline constexpr auto ret = [](auto& m, auto stack) __attribute__((always_inline)) {
    const std::uint64_t pointer = stack.pointer(m);
    const auto ip = stack.template load<T>(m, pointer);
    if (!ip) return Outcome::Fault;
    if (!target_is_valid(m, *ip)) return m.raise({.vector = Vector::GeneralProtection});
    stack.set_pointer(m, pointer + sizeof(T) + m.op().immediate);
    return m.jump(*ip);
};

inline constexpr auto jcxz = [](auto& m, auto count, auto target) __attribute__((always_inline)) {
    if (*count.read(m) != 0) return Outcome::Next;
    return go_to(m, target, *target.read(m));
};

// LOOP, LOOPE and LOOPNE. `goes_on` judges the flags; the count changes only when the branch is
// possible.
template <auto goes_on>
inline constexpr auto loop_while =
    [](auto& m, auto count, auto target) __attribute__((always_inline)) {
        using A = typename decltype(count)::Value;
        const A remaining = static_cast<A>(*count.read(m) - 1);
        const auto ip = *target.read(m);
        const bool taken = remaining != 0 && goes_on(m.flags());
        if (taken && !target_is_valid(m, ip)) return m.raise({.vector = Vector::GeneralProtection});
        count.write(m, remaining);
        return taken ? m.jump(ip) : Outcome::Next;
    };

inline constexpr auto always = [](const LazyFlags&) { return true; };
inline constexpr auto while_equal = [](const LazyFlags& flags) { return flags.zf(); };
inline constexpr auto while_not_equal = [](const LazyFlags& flags) { return !flags.zf(); };

inline constexpr auto loop = loop_while<always>;
inline constexpr auto loope = loop_while<while_equal>;
inline constexpr auto loopne = loop_while<while_not_equal>;

// What a condition comes to behind CMP a, b, without the detour over the flags.
template <Condition condition, class T>
constexpr bool holds_after_compare(T a, T b) {
    using enum Condition;
    using Signed = std::make_signed_t<T>;
    if constexpr ((static_cast<unsigned>(condition) & 1) != 0)
        return !holds_after_compare<static_cast<Condition>(static_cast<unsigned>(condition) & ~1u)>(
            a, b);
    else if constexpr (condition == B)
        return a < b;
    else if constexpr (condition == E)
        return a == b;
    else if constexpr (condition == BE)
        return a <= b;
    else if constexpr (condition == S)
        return static_cast<Signed>(static_cast<T>(a - b)) < 0;
    else if constexpr (condition == L)
        return static_cast<Signed>(a) < static_cast<Signed>(b);
    else if constexpr (condition == LE)
        return static_cast<Signed>(a) <= static_cast<Signed>(b);
    else {
        LazyFlags flags;
        flags.set_sub(a, b);
        return holds<condition>(flags);
    }
}

// The same behind TEST, whose result has CF and OF clear.
template <Condition condition, class T>
constexpr bool holds_after_test(T result) {
    if constexpr (condition == Condition::P || condition == Condition::NP)
        return ((std::popcount(static_cast<std::uint8_t>(result)) & 1) == 0) ==
               (condition == Condition::P);
    else
        return holds_after_compare<condition>(result, T{0});
}

// CMP and Jcc as one op. The flags are written all the same: code behind either exit may read them.
template <Condition condition>
inline constexpr auto compare_and_branch = [](auto& m, auto first, auto second, auto target)
                                               __attribute__((always_inline)) {
                                                   const auto b = second.read(m);
                                                   if (!b) return Outcome::Fault;
                                                   const auto a = first.read(m);
                                                   if (!a) return Outcome::Fault;
                                                   m.flags().set_sub(*a, *b);
                                                   if (!holds_after_compare<condition>(*a, *b))
                                                       return Outcome::Next;
                                                   return go_to(m, target, *target.read(m));
                                               };

template <Condition condition>
inline constexpr auto test_and_branch = [](auto& m, auto first, auto second, auto target)
                                            __attribute__((always_inline)) {
                                                using T = typename decltype(first)::Value;
                                                const auto b = second.read(m);
                                                if (!b) return Outcome::Fault;
                                                const auto a = first.read(m);
                                                if (!a) return Outcome::Fault;
                                                const T result = static_cast<T>(*a & *b);
                                                m.flags().set_logic(result);
                                                if (!holds_after_test<condition>(result))
                                                    return Outcome::Next;
                                                return go_to(m, target, *target.read(m));
                                            };

// Any other instruction that only Next follows, and the Jcc behind it.
template <auto semantic, Condition condition>
inline constexpr auto compute_and_branch = [](auto& m, auto target, auto... operands)
                                               __attribute__((always_inline)) {
                                                   semantic(m, operands...);
                                                   if (!holds<condition>(m.flags()))
                                                       return Outcome::Next;
                                                   return go_to(m, target, *target.read(m));
                                               };

}  // namespace backplane::x86::semantics
