// The floating-point arithmetic, comparisons and shuffles of SSE and SSE2 (SDM 2).
#pragma once

#include "x86/machine.h"
#include "x86/sse_execution.h"
#include "x86/vector_operand.h"

namespace backplane::x86::semantics {

// dst := dst op src. The source is a whole register or a scalar, zero-extended as the host's
// register form needs it.
template <class Operation>
inline constexpr auto float_binary =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto result = execute_operation<Operation>(m, *dst.read(m), zero_extend(*b));
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

// dst := op src.
template <class Operation>
inline constexpr auto float_unary =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto result = execute_operation<Operation>(m, zero_extend(*b));
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto addps = float_binary<host::Addps>;
inline constexpr auto addpd = float_binary<host::Addpd>;
inline constexpr auto addss = float_binary<host::Addss>;
inline constexpr auto addsd = float_binary<host::Addsd>;
inline constexpr auto subps = float_binary<host::Subps>;
inline constexpr auto subpd = float_binary<host::Subpd>;
inline constexpr auto subss = float_binary<host::Subss>;
inline constexpr auto subsd = float_binary<host::Subsd>;
inline constexpr auto mulps = float_binary<host::Mulps>;
inline constexpr auto mulpd = float_binary<host::Mulpd>;
inline constexpr auto mulss = float_binary<host::Mulss>;
inline constexpr auto mulsd = float_binary<host::Mulsd>;
inline constexpr auto divps = float_binary<host::Divps>;
inline constexpr auto divpd = float_binary<host::Divpd>;
inline constexpr auto divss = float_binary<host::Divss>;
inline constexpr auto divsd = float_binary<host::Divsd>;
inline constexpr auto minps = float_binary<host::Minps>;
inline constexpr auto minpd = float_binary<host::Minpd>;
inline constexpr auto minss = float_binary<host::Minss>;
inline constexpr auto minsd = float_binary<host::Minsd>;
inline constexpr auto maxps = float_binary<host::Maxps>;
inline constexpr auto maxpd = float_binary<host::Maxpd>;
inline constexpr auto maxss = float_binary<host::Maxss>;
inline constexpr auto maxsd = float_binary<host::Maxsd>;
inline constexpr auto sqrtps = float_unary<host::Sqrtps>;
inline constexpr auto sqrtpd = float_unary<host::Sqrtpd>;
inline constexpr auto sqrtss = float_binary<host::Sqrtss>;
inline constexpr auto sqrtsd = float_binary<host::Sqrtsd>;
// The approximations are the host's own: processors differ within the documented error.
inline constexpr auto rcpps = float_unary<host::Rcpps>;
inline constexpr auto rcpss = float_binary<host::Rcpss>;
inline constexpr auto rsqrtps = float_unary<host::Rsqrtps>;
inline constexpr auto rsqrtss = float_binary<host::Rsqrtss>;

// The eight predicates in the order of the control byte, of which only three bits count (SDM 2,
// CMPPS).
template <class Eq, class Lt, class Le, class Unord, class Neq, class Nlt, class Nle, class Ord>
inline constexpr auto float_compare =
    sse<[](auto& m, auto dst, auto src, auto predicate) __attribute__((always_inline)) {
        switch (*predicate.read(m) & 7) {
        case 0: return float_binary<Eq>(m, dst, src);
        case 1: return float_binary<Lt>(m, dst, src);
        case 2: return float_binary<Le>(m, dst, src);
        case 3: return float_binary<Unord>(m, dst, src);
        case 4: return float_binary<Neq>(m, dst, src);
        case 5: return float_binary<Nlt>(m, dst, src);
        case 6: return float_binary<Nle>(m, dst, src);
        default: return float_binary<Ord>(m, dst, src);
        }
    }>;

inline constexpr auto cmpps =
    float_compare<host::CmpEqps, host::CmpLtps, host::CmpLeps, host::CmpUnordps, host::CmpNeqps,
                  host::CmpNltps, host::CmpNleps, host::CmpOrdps>;
inline constexpr auto cmppd =
    float_compare<host::CmpEqpd, host::CmpLtpd, host::CmpLepd, host::CmpUnordpd, host::CmpNeqpd,
                  host::CmpNltpd, host::CmpNlepd, host::CmpOrdpd>;
inline constexpr auto cmpss =
    float_compare<host::CmpEqss, host::CmpLtss, host::CmpLess, host::CmpUnordss, host::CmpNeqss,
                  host::CmpNltss, host::CmpNless, host::CmpOrdss>;
inline constexpr auto cmpsd =
    float_compare<host::CmpEqsd, host::CmpLtsd, host::CmpLesd, host::CmpUnordsd, host::CmpNeqsd,
                  host::CmpNltsd, host::CmpNlesd, host::CmpOrdsd>;

template <class Operation>
inline constexpr auto float_compare_flags =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const Bits128 first = zero_extend(*dst.read(m)), second = zero_extend(*b);
        const auto result = execute_sse<Operation::tiny>(
            m, [=] [[gnu::always_inline]] { return Operation::compute(first, second); });
        if (!result) return Outcome::Fault;
        m.flags().from_rflags((result->zf ? rflags::zf : 0) | (result->pf ? rflags::pf : 0) |
                              (result->cf ? rflags::cf : 0));
        return Outcome::Next;
    }>;

inline constexpr auto comiss = float_compare_flags<host::Comiss>;
inline constexpr auto comisd = float_compare_flags<host::Comisd>;
inline constexpr auto ucomiss = float_compare_flags<host::Ucomiss>;
inline constexpr auto ucomisd = float_compare_flags<host::Ucomisd>;

// The low lanes come from dst, the high ones from src (SDM 2, SHUFPS, SHUFPD).
inline constexpr auto shufps =
    sse<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const unsigned by = *control.read(m);
        const auto half = [=](Bits128 x, Bits128 y) __attribute__((always_inline)) {
            const auto from_dst = to_lanes<std::uint32_t>(x), from_src = to_lanes<std::uint32_t>(y);
            using Singles = Lanes<std::uint32_t, Bits128>;
            return from_lanes<Bits128>(Singles{from_dst[by & 3], from_dst[by >> 2 & 3],
                                               from_src[by >> 4 & 3], from_src[by >> 6 & 3]});
        };
        dst.write(m, for_each_half(half, *dst.read(m), *b));
        return Outcome::Next;
    }>;

// The control byte has two bits for each half.
inline constexpr auto shufpd =
    sse<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        unsigned by = *control.read(m);
        const auto half = [&](Bits128 x, Bits128 y) __attribute__((always_inline)) {
            const Bits128 result{x[by & 1], y[by >> 1 & 1]};
            by >>= 2;
            return result;
        };
        dst.write(m, for_each_half(half, *dst.read(m), *b));
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
