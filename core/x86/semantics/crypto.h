// AES-NI, PCLMULQDQ and the SHA extensions (SDM 2).
#pragma once

#include "x86/host_crypto.h"
#include "x86/semantics/lanewise.h"

namespace backplane::x86::semantics {

inline constexpr auto aesenc = lanewise<std::uint64_t, host::aesenc>;
inline constexpr auto aesenclast = lanewise<std::uint64_t, host::aesenclast>;
inline constexpr auto aesdec = lanewise<std::uint64_t, host::aesdec>;
inline constexpr auto aesdeclast = lanewise<std::uint64_t, host::aesdeclast>;
inline constexpr auto aesimc = lane_unary<std::uint64_t, host::aesimc>;
inline constexpr auto aeskeygenassist = lane_shuffle<std::uint64_t, host::aeskeygenassist>;

inline constexpr auto pclmulqdq = lanewise_control<std::uint64_t, host::pclmulqdq>;

inline constexpr auto sha1nexte = lanewise<std::uint64_t, host::sha1nexte>;
inline constexpr auto sha1msg1 = lanewise<std::uint64_t, host::sha1msg1>;
inline constexpr auto sha1msg2 = lanewise<std::uint64_t, host::sha1msg2>;
inline constexpr auto sha1rnds4 = lanewise_control<std::uint64_t, host::sha1rnds4>;
inline constexpr auto sha256msg1 = lanewise<std::uint64_t, host::sha256msg1>;
inline constexpr auto sha256msg2 = lanewise<std::uint64_t, host::sha256msg2>;
inline constexpr auto sha256rnds2 = lanewise_ternary<std::uint64_t, host::sha256rnds2>;

}  // namespace backplane::x86::semantics
