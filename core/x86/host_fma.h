// Fused multiply-add, executed by the host's own instructions (SDM 2, VFMADD132PS and what
// follows).
//
// The three orders of operands are operations of their own: which NaN is propagated depends on
// them.
#pragma once

#include "x86/host_sse.h"

namespace backplane::x86::host {

#define BACKPLANE_FMA(Name, stem, order, suffix, tiny_lanes)                                       \
    struct Name##order##suffix {                                                                   \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        static constexpr unsigned addend = order % 10 - 1;                                         \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b, Bits128 c) {           \
            asm volatile(stem #order #suffix " %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));            \
            return a;                                                                              \
        }                                                                                          \
    };

#define BACKPLANE_FMA_PACKED(Name, stem)                                                           \
    BACKPLANE_FMA(Name, stem, 132, ps, PackedSingle)                                               \
    BACKPLANE_FMA(Name, stem, 132, pd, PackedDouble)                                               \
    BACKPLANE_FMA(Name, stem, 213, ps, PackedSingle)                                               \
    BACKPLANE_FMA(Name, stem, 213, pd, PackedDouble)                                               \
    BACKPLANE_FMA(Name, stem, 231, ps, PackedSingle)                                               \
    BACKPLANE_FMA(Name, stem, 231, pd, PackedDouble)

#define BACKPLANE_FMA_ALL(Name, stem)                                                              \
    BACKPLANE_FMA_PACKED(Name, stem)                                                               \
    BACKPLANE_FMA(Name, stem, 132, ss, Single)                                                     \
    BACKPLANE_FMA(Name, stem, 132, sd, Double)                                                     \
    BACKPLANE_FMA(Name, stem, 213, ss, Single)                                                     \
    BACKPLANE_FMA(Name, stem, 213, sd, Double)                                                     \
    BACKPLANE_FMA(Name, stem, 231, ss, Single)                                                     \
    BACKPLANE_FMA(Name, stem, 231, sd, Double)

BACKPLANE_FMA_ALL(Vfmadd, "vfmadd")
BACKPLANE_FMA_ALL(Vfmsub, "vfmsub")
BACKPLANE_FMA_ALL(Vfnmadd, "vfnmadd")
BACKPLANE_FMA_ALL(Vfnmsub, "vfnmsub")
BACKPLANE_FMA_PACKED(Vfmaddsub, "vfmaddsub")
BACKPLANE_FMA_PACKED(Vfmsubadd, "vfmsubadd")

#undef BACKPLANE_FMA_ALL
#undef BACKPLANE_FMA_PACKED
#undef BACKPLANE_FMA

}  // namespace backplane::x86::host
