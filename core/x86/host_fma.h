// Fused multiply-add, executed by the host's own instructions (SDM 2, VFMADD132PS and what
// follows).
//
// The three orders of operands are operations of their own: which NaN is propagated depends on
// them.
#pragma once

#include "x86/host_sse.h"

namespace backplane::x86::host {

#define BACKPLANE_FMA(Name, instruction, tiny_lanes)                                               \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b, Bits128 c) {           \
            asm volatile(instruction " %2, %1, %0" : "+x"(a) : "x"(b), "x"(c));                    \
            return a;                                                                              \
        }                                                                                          \
    };

#define BACKPLANE_FMA_PACKED(Name, stem)                                                           \
    BACKPLANE_FMA(Name##132ps, stem "132ps", PackedSingle)                                         \
    BACKPLANE_FMA(Name##132pd, stem "132pd", PackedDouble)                                         \
    BACKPLANE_FMA(Name##213ps, stem "213ps", PackedSingle)                                         \
    BACKPLANE_FMA(Name##213pd, stem "213pd", PackedDouble)                                         \
    BACKPLANE_FMA(Name##231ps, stem "231ps", PackedSingle)                                         \
    BACKPLANE_FMA(Name##231pd, stem "231pd", PackedDouble)

#define BACKPLANE_FMA_ALL(Name, stem)                                                              \
    BACKPLANE_FMA_PACKED(Name, stem)                                                               \
    BACKPLANE_FMA(Name##132ss, stem "132ss", Single)                                               \
    BACKPLANE_FMA(Name##132sd, stem "132sd", Double)                                               \
    BACKPLANE_FMA(Name##213ss, stem "213ss", Single)                                               \
    BACKPLANE_FMA(Name##213sd, stem "213sd", Double)                                               \
    BACKPLANE_FMA(Name##231ss, stem "231ss", Single)                                               \
    BACKPLANE_FMA(Name##231sd, stem "231sd", Double)

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
