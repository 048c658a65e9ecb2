// The floating-point comparisons of AVX with all 32 predicates, each executed by the host's own
// instruction (SDM 2, CMPPS).
#pragma once

#include "x86/vector.h"

#include <array>
#include <utility>

namespace backplane::x86::host {

#define BACKPLANE_AVX_COMPARISON(Name, instruction)                                                \
    struct Name {                                                                                  \
        template <int predicate>                                                                   \
        static Bits128 compute(Bits128 a, Bits128 b) {                                             \
            Bits128 result;                                                                        \
            asm volatile(instruction " %3, %2, %1, %0"                                             \
                         : "=x"(result)                                                            \
                         : "x"(a), "x"(b), "i"(predicate));                                        \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_AVX_COMPARISON(Vcmpps, "vcmpps")
BACKPLANE_AVX_COMPARISON(Vcmppd, "vcmppd")
BACKPLANE_AVX_COMPARISON(Vcmpss, "vcmpss")
BACKPLANE_AVX_COMPARISON(Vcmpsd, "vcmpsd")

#undef BACKPLANE_AVX_COMPARISON

// By predicate.
template <class Comparison>
inline constexpr auto comparisons = []<int... predicate>(std::integer_sequence<int, predicate...>) {
    return std::array{&Comparison::template compute<predicate>...};
}(std::make_integer_sequence<int, 32>{});

}  // namespace backplane::x86::host
