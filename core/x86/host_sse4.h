// Rounding and dot products of SSE4.1, executed by the host like the operations of host_sse.h. They
// have a control byte.
#pragma once

#include "x86/constant_argument.h"
#include "x86/host_sse.h"
#include "x86/lane_operations_shuffle.h"

namespace backplane::x86::host {

// The low four bits of the control byte count: the rounding mode, or MXCSR's, and whether PE is
// left alone. A scalar form keeps the upper lanes of a.
#define BACKPLANE_SSE_ROUND(Name, instruction)                                                     \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::Never;                                                  \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b,                        \
                                                      std::uint8_t control) {                      \
            constexpr auto execute =                                                               \
                []<unsigned mode>(Bits128& to, Bits128 from) __attribute__((always_inline)) {      \
                    asm volatile(instruction " %2, %1, %0" : "+x"(to) : "x"(from), "i"(mode));     \
                };                                                                                 \
            with_constant<16>(control & 15, execute, a, b);                                        \
            return a;                                                                              \
        }                                                                                          \
    };

BACKPLANE_SSE_ROUND(Roundps, "roundps")
BACKPLANE_SSE_ROUND(Roundpd, "roundpd")
BACKPLANE_SSE_ROUND(Roundss, "roundss")
BACKPLANE_SSE_ROUND(Roundsd, "roundsd")

// SDM 2, DPPS: the upper four bits of the control byte choose the lanes whose products are added,
// the lower ones those that receive the sum. A product that is not chosen is +0, which is what
// zeros give; so one form of the host's instruction is enough, between two choices.
#define BACKPLANE_SSE_DOT_PRODUCT(Name, instruction, Integer)                                      \
    struct Name {                                                                                  \
        static constexpr unsigned lanes = lane_count<Integer, Bits128>;                            \
        [[gnu::always_inline]] static Bits128 choose(Bits128 x, unsigned by) {                     \
            return from_lanes<Bits128>(x86::lanes::blend(                                          \
                Lanes<Integer, Bits128>{}, to_lanes<Integer>(x), static_cast<std::uint8_t>(by)));  \
        }                                                                                          \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b) {                      \
            asm volatile(instruction " $0xff, %1, %0" : "+x"(a) : "x"(b));                         \
            return a;                                                                              \
        }                                                                                          \
    };

BACKPLANE_SSE_DOT_PRODUCT(Dpps, "dpps", std::uint32_t)
BACKPLANE_SSE_DOT_PRODUCT(Dppd, "dppd", std::uint64_t)

#undef BACKPLANE_SSE_DOT_PRODUCT
#undef BACKPLANE_SSE_ROUND

}  // namespace backplane::x86::host
