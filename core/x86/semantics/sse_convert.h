// The conversions of SSE and SSE2 between integers, single and double precision (SDM 2).
#pragma once

#include "x86/semantics/sse_float.h"

namespace backplane::x86::semantics {

inline constexpr auto cvtps2pd = float_unary<host::Cvtps2pd>;
inline constexpr auto cvtpd2ps = float_unary<host::Cvtpd2ps>;
inline constexpr auto cvtss2sd = float_binary<host::Cvtss2sd>;
inline constexpr auto cvtsd2ss = float_binary<host::Cvtsd2ss>;
inline constexpr auto cvtdq2ps = float_unary<host::Cvtdq2ps>;
inline constexpr auto cvtdq2pd = float_unary<host::Cvtdq2pd>;
inline constexpr auto cvtps2dq = float_unary<host::Cvtps2dq>;
inline constexpr auto cvttps2dq = float_unary<host::Cvttps2dq>;
inline constexpr auto cvtpd2dq = float_unary<host::Cvtpd2dq>;
inline constexpr auto cvttpd2dq = float_unary<host::Cvttpd2dq>;

template <class Narrow, class Wide>
inline constexpr auto from_general =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        using Operation =
            std::conditional_t<sizeof(typename decltype(src)::Value) == 8, Wide, Narrow>;
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const Bits128 first = *dst.read(m);
        const auto integer = *b;
        const auto result = execute_sse<Operation::tiny>(
            m, [=] [[gnu::always_inline]] { return Operation::compute(first, integer); });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto cvtsi2ss = from_general<host::Cvtsi2ss32, host::Cvtsi2ss64>;
inline constexpr auto cvtsi2sd = from_general<host::Cvtsi2sd32, host::Cvtsi2sd64>;

template <class Operation>
inline constexpr auto to_general =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        using Integer = typename decltype(dst)::Value;
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const Bits128 second = zero_extend(*b);
        const auto result = execute_sse<Operation::tiny>(
            m, [=] [[gnu::always_inline]] { return Operation::template compute<Integer>(second); });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto cvtss2si = to_general<host::Cvtss2si>;
inline constexpr auto cvttss2si = to_general<host::Cvttss2si>;
inline constexpr auto cvtsd2si = to_general<host::Cvtsd2si>;
inline constexpr auto cvttsd2si = to_general<host::Cvttsd2si>;

// The forms with an MMX register convert two lanes, the low ones of the XMM operation of the same
// kind.

// An MMX operand makes the transition before the operation, so that it stays when the operation
// raises an exception.
enum class Transition : std::uint8_t { None, ToMmx };

// dst's upper half survives.
template <Transition transition>
inline constexpr auto convert_low_pair =
    [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        if constexpr (transition == Transition::ToMmx) enter_mmx(m.state());
        const Bits128 second = zero_extend(*b);
        const auto result = execute_sse<host::Tiny::Never>(
            m, [=] [[gnu::always_inline]] { return host::Cvtdq2ps::compute(second); });
        if (!result) return Outcome::Fault;
        dst.write(m, Bits128{(*result)[0], (*dst.read(m))[1]});
        return Outcome::Next;
    };

template <class Operation>
inline constexpr auto to_mmx =
    sse_with_mmx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        enter_mmx(m.state());
        const Bits128 second = zero_extend(*b);
        const auto result = execute_sse<Operation::tiny>(
            m, [=] [[gnu::always_inline]] { return Operation::compute(second); });
        if (!result) return Outcome::Fault;
        dst.write(m, (*result)[0]);
        return Outcome::Next;
    }>;

// With a memory source these touch no MMX register, and no transition happens.
inline constexpr auto cvtpi2ps_from_memory = sse<convert_low_pair<Transition::None>>;
inline constexpr auto cvtpi2ps = sse_with_mmx<convert_low_pair<Transition::ToMmx>>;
inline constexpr auto cvtpi2pd_from_memory = float_unary<host::Cvtdq2pd>;
inline constexpr auto cvtpi2pd = sse_with_mmx<float_unary<host::Cvtdq2pd>>;
inline constexpr auto cvtps2pi = to_mmx<host::Cvtps2dq>;
inline constexpr auto cvttps2pi = to_mmx<host::Cvttps2dq>;
inline constexpr auto cvtpd2pi = to_mmx<host::Cvtpd2dq>;
inline constexpr auto cvttpd2pi = to_mmx<host::Cvttpd2dq>;

}  // namespace backplane::x86::semantics
