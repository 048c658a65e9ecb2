// The instructions that combine neighbouring lanes of packed integers: SSSE3's horizontal sums and
// byte products, SSE4.1's MPSADBW and PHMINPOSUW (SDM 2).
#pragma once

#include "x86/lane_operations_neighbours.h"
#include "x86/semantics/lanewise.h"

namespace backplane::x86::semantics {

inline constexpr auto phaddw = lanewise<std::uint16_t, lanes::horizontal_add>;
inline constexpr auto phaddd = lanewise<std::uint32_t, lanes::horizontal_add>;
inline constexpr auto phaddsw = lanewise<std::int16_t, lanes::horizontal_add_saturated>;
inline constexpr auto phsubw = lanewise<std::uint16_t, lanes::horizontal_subtract>;
inline constexpr auto phsubd = lanewise<std::uint32_t, lanes::horizontal_subtract>;
inline constexpr auto phsubsw = lanewise<std::int16_t, lanes::horizontal_subtract_saturated>;
inline constexpr auto pmaddubsw = lanewise<std::int16_t, lanes::multiply_add_bytes>;
inline constexpr auto mpsadbw =
    lanewise_control<std::uint8_t, lanes::multiple_sums_absolute_differences, 3>;
inline constexpr auto phminposuw = lane_unary<std::uint16_t, lanes::minimum_and_position>;

}  // namespace backplane::x86::semantics
