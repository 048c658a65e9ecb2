// The instructions of SSE3, SSSE3 and SSE4.1 that choose, duplicate, blend and widen lanes (SDM 2).
#pragma once

#include "x86/lane_operations_shuffle.h"
#include "x86/semantics/lanewise.h"

namespace backplane::x86::semantics {

inline constexpr auto pshufb = lanewise<std::uint8_t, lanes::shuffle_bytes>;
inline constexpr auto palignr = lanewise_control<std::uint8_t, lanes::align>;
inline constexpr auto movsldup = lane_unary<std::uint32_t, lanes::duplicate_even>;
inline constexpr auto movshdup = lane_unary<std::uint32_t, lanes::duplicate_odd>;

inline constexpr auto movddup = sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto low = src.read(m);
    if (!low) return Outcome::Fault;
    dst.write(m, Bits128{*low, *low});
    return Outcome::Next;
}>;

inline constexpr auto pblendw = lanewise_control<std::uint16_t, lanes::blend>;
inline constexpr auto blendps = lanewise_control<std::uint32_t, lanes::blend, 4>;
inline constexpr auto blendpd = lanewise_control<std::uint64_t, lanes::blend, 2>;
inline constexpr auto pblendvb = lanewise_ternary<std::int8_t, lanes::blend_by_sign>;
inline constexpr auto blendvps = lanewise_ternary<std::int32_t, lanes::blend_by_sign>;
inline constexpr auto blendvpd = lanewise_ternary<std::int64_t, lanes::blend_by_sign>;

// PMOVSX and PMOVZX: src has as many lanes of From as dst has of To.
template <class From, class To>
inline constexpr auto widening_move =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto narrow = src.read(m);
        if (!narrow) return Outcome::Fault;
        dst.write(m, from_lanes<Bits128>(lanes::widen<To>(to_lanes<From>(*narrow))));
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
