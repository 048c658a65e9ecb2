// The floating-point instructions that AVX adds to those of SSE or gives more predicates, and the
// conversions that change the width of a register (SDM 2).
#pragma once

#include "x86/host_compare.h"
#include "x86/lane_operations.h"
#include "x86/semantics/sse_convert.h"

namespace backplane::x86::semantics {

// The low five bits of the control byte are the predicate.
template <class Comparison>
inline constexpr auto avx_compare =
    avx<[](auto& m, auto dst, auto src, auto predicate) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto first = *dst.read(m);
        const auto second = zero_extend(*b);
        const auto operation = host::comparisons<Comparison>[*predicate.read(m) & 31];
        const auto result = execute_sse<host::Tiny::Never>(
            m, [=] [[gnu::always_inline]] { return for_each_half(operation, first, second); });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto vcmpps = avx_compare<host::Vcmpps>;
inline constexpr auto vcmppd = avx_compare<host::Vcmppd>;
inline constexpr auto vcmpss = avx_compare<host::Vcmpss>;
inline constexpr auto vcmpsd = avx_compare<host::Vcmpsd>;

// An XMM register of narrow elements becomes a YMM register of wide ones.
template <class Operation>
inline constexpr auto convert_to_ymm =
    avx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const Bits128 low{(*b)[0], 0}, high{(*b)[1], 0};
        const auto result = execute_sse<Operation::tiny>(m, [=] [[gnu::always_inline]] {
            return Bits256{Operation::compute(low), Operation::compute(high)};
        });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

// And the other way: each half gives 64 bits.
template <class Operation>
inline constexpr auto convert_from_ymm =
    avx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const Bits256 value = *b;
        const auto result = execute_sse<Operation::tiny>(
            m,
            [=] [[gnu::always_inline]] {
                const Bits128 low = Operation::compute(value.low);
                return Bits128{low[0], Operation::compute(value.high)[0]};
            },
            [=](std::uint32_t control) { return is_inexact<Operation>(control, value); });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto vcvtps2pd_ymm = convert_to_ymm<host::Cvtps2pd>;
inline constexpr auto vcvtdq2pd_ymm = convert_to_ymm<host::Cvtdq2pd>;
inline constexpr auto vcvtpd2ps_ymm = convert_from_ymm<host::Cvtpd2ps>;
inline constexpr auto vcvtpd2dq_ymm = convert_from_ymm<host::Cvtpd2dq>;
inline constexpr auto vcvttpd2dq_ymm = convert_from_ymm<host::Cvttpd2dq>;

// VTESTPS and VTESTPD: only the sign bits count. ZF: none is set in both; CF: none is set in src
// alone.
template <class T>
inline constexpr auto test_signs =
    avx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto a = *dst.read(m);
        const auto signs = [](Bits128 x) { return lanes::sign_mask(to_lanes<T>(x)); };
        std::uint32_t in_both = signs(low_half(a)) & signs(low_half(*b));
        std::uint32_t in_source = signs(low_half(*b)) & ~signs(low_half(a));
        if constexpr (sizeof a == sizeof(Bits256)) {
            in_both |= signs(a.high) & signs(b->high);
            in_source |= signs(b->high) & ~signs(a.high);
        }
        m.flags().from_rflags((in_both ? 0 : rflags::zf) | (in_source ? 0 : rflags::cf));
        return Outcome::Next;
    }>;

inline constexpr auto vtestps = test_signs<std::int32_t>;
inline constexpr auto vtestpd = test_signs<std::int64_t>;

}  // namespace backplane::x86::semantics
