// The floating-point operations of SSE and SSE2, each executed by the host's own instruction.
//
// Operand order is fixed by the assembly, so NaN propagation, rounding and flags are the
// processor's. Each operation says what its result is made of, for the check of tiny results when
// underflow is unmasked (semantics/sse_guard.h). `volatile` keeps an operation between the MXCSR
// accesses around it.
#pragma once

#include "x86/vector.h"

#include <cstdint>

namespace backplane::x86::host {

// Which lanes of a result can be tiny.
enum class Tiny : std::uint8_t { Never, Single, Double, PackedSingle, PackedDouble, PackedHalf };

#define BACKPLANE_SSE_BINARY(Name, instruction, tiny_lanes)                                        \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b) {                      \
            asm volatile(instruction " %1, %0" : "+x"(a) : "x"(b));                                \
            return a;                                                                              \
        }                                                                                          \
    };

// An operation whose destination's upper lanes survive is binary; one that replaces them is unary.
#define BACKPLANE_SSE_UNARY(Name, instruction, tiny_lanes)                                         \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        [[gnu::always_inline]] static Bits128 compute(Bits128 b) {                                 \
            Bits128 result;                                                                        \
            asm volatile(instruction " %1, %0" : "=x"(result) : "x"(b));                           \
            return result;                                                                         \
        }                                                                                          \
    };

#define BACKPLANE_SSE_ARITHMETIC(Name, stem)                                                       \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", PackedSingle)                                        \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", PackedDouble)                                        \
    BACKPLANE_SSE_BINARY(Name##ss, stem "ss", Single)                                              \
    BACKPLANE_SSE_BINARY(Name##sd, stem "sd", Double)

BACKPLANE_SSE_ARITHMETIC(Add, "add")
BACKPLANE_SSE_ARITHMETIC(Sub, "sub")
BACKPLANE_SSE_ARITHMETIC(Mul, "mul")
BACKPLANE_SSE_ARITHMETIC(Div, "div")

// SSE3: neighbours combined, and subtraction in the even lanes with addition in the odd ones.
#define BACKPLANE_SSE_HORIZONTAL(Name, stem)                                                       \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", PackedSingle)                                        \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", PackedDouble)

BACKPLANE_SSE_HORIZONTAL(Addsub, "addsub")
BACKPLANE_SSE_HORIZONTAL(Hadd, "hadd")
BACKPLANE_SSE_HORIZONTAL(Hsub, "hsub")

// SDM 2: minimum and maximum return an operand as it is, so a denormal result is no underflow.
#define BACKPLANE_SSE_SELECTION(Name, stem)                                                        \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", Never)                                               \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", Never)                                               \
    BACKPLANE_SSE_BINARY(Name##ss, stem "ss", Never)                                               \
    BACKPLANE_SSE_BINARY(Name##sd, stem "sd", Never)

BACKPLANE_SSE_SELECTION(Min, "min")
BACKPLANE_SSE_SELECTION(Max, "max")

#define BACKPLANE_SSE_COMPARISON(Name, predicate)                                                  \
    BACKPLANE_SSE_SELECTION(Cmp##Name, "cmp" predicate)

BACKPLANE_SSE_COMPARISON(Eq, "eq")
BACKPLANE_SSE_COMPARISON(Lt, "lt")
BACKPLANE_SSE_COMPARISON(Le, "le")
BACKPLANE_SSE_COMPARISON(Unord, "unord")
BACKPLANE_SSE_COMPARISON(Neq, "neq")
BACKPLANE_SSE_COMPARISON(Nlt, "nlt")
BACKPLANE_SSE_COMPARISON(Nle, "nle")
BACKPLANE_SSE_COMPARISON(Ord, "ord")

BACKPLANE_SSE_UNARY(Sqrtps, "sqrtps", Never)
BACKPLANE_SSE_UNARY(Sqrtpd, "sqrtpd", Never)
BACKPLANE_SSE_BINARY(Sqrtss, "sqrtss", Never)
BACKPLANE_SSE_BINARY(Sqrtsd, "sqrtsd", Never)
BACKPLANE_SSE_UNARY(Rcpps, "rcpps", Never)
BACKPLANE_SSE_BINARY(Rcpss, "rcpss", Never)
BACKPLANE_SSE_UNARY(Rsqrtps, "rsqrtps", Never)
BACKPLANE_SSE_BINARY(Rsqrtss, "rsqrtss", Never)

BACKPLANE_SSE_UNARY(Cvtps2pd, "cvtps2pd", Never)
BACKPLANE_SSE_UNARY(Cvtpd2ps, "cvtpd2ps", PackedSingle)
BACKPLANE_SSE_BINARY(Cvtss2sd, "cvtss2sd", Never)
BACKPLANE_SSE_BINARY(Cvtsd2ss, "cvtsd2ss", Single)
BACKPLANE_SSE_UNARY(Cvtdq2ps, "cvtdq2ps", Never)
BACKPLANE_SSE_UNARY(Cvtdq2pd, "cvtdq2pd", Never)
BACKPLANE_SSE_UNARY(Cvtps2dq, "cvtps2dq", Never)
BACKPLANE_SSE_UNARY(Cvttps2dq, "cvttps2dq", Never)
BACKPLANE_SSE_UNARY(Cvtpd2dq, "cvtpd2dq", Never)
BACKPLANE_SSE_UNARY(Cvttpd2dq, "cvttpd2dq", Never)

// From a general register into the low lane.
#define BACKPLANE_SSE_FROM_INTEGER(Name, instruction, Integer)                                     \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::Never;                                                  \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Integer b) {                      \
            asm volatile(instruction " %1, %0" : "+x"(a) : "r"(b));                                \
            return a;                                                                              \
        }                                                                                          \
    };

BACKPLANE_SSE_FROM_INTEGER(Cvtsi2ss32, "cvtsi2ssl", std::uint32_t)
BACKPLANE_SSE_FROM_INTEGER(Cvtsi2ss64, "cvtsi2ssq", std::uint64_t)
BACKPLANE_SSE_FROM_INTEGER(Cvtsi2sd32, "cvtsi2sdl", std::uint32_t)
BACKPLANE_SSE_FROM_INTEGER(Cvtsi2sd64, "cvtsi2sdq", std::uint64_t)

// From the low lane into a general register; the register's size is the operand's.
#define BACKPLANE_SSE_TO_INTEGER(Name, instruction)                                                \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::Never;                                                  \
        template <class Integer>                                                                   \
        [[gnu::always_inline]] static Integer compute(Bits128 b) {                                 \
            Integer result;                                                                        \
            asm volatile(instruction " %1, %0" : "=r"(result) : "x"(b));                           \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_SSE_TO_INTEGER(Cvtss2si, "cvtss2si")
BACKPLANE_SSE_TO_INTEGER(Cvttss2si, "cvttss2si")
BACKPLANE_SSE_TO_INTEGER(Cvtsd2si, "cvtsd2si")
BACKPLANE_SSE_TO_INTEGER(Cvttsd2si, "cvttsd2si")

// COMIS and UCOMIS give ZF, PF and CF; OF, SF and AF are cleared.
struct ComparisonFlags {
    bool zf, pf, cf;
};

#define BACKPLANE_SSE_COMPARE_FLAGS(Name, instruction)                                             \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::Never;                                                  \
        [[gnu::always_inline]] static ComparisonFlags compute(Bits128 a, Bits128 b) {              \
            ComparisonFlags flags;                                                                 \
            asm volatile(instruction " %4, %3"                                                     \
                         : "=@ccz"(flags.zf), "=@ccp"(flags.pf), "=@ccc"(flags.cf)                 \
                         : "x"(a), "x"(b));                                                        \
            return flags;                                                                          \
        }                                                                                          \
    };

BACKPLANE_SSE_COMPARE_FLAGS(Comiss, "comiss")
BACKPLANE_SSE_COMPARE_FLAGS(Comisd, "comisd")
BACKPLANE_SSE_COMPARE_FLAGS(Ucomiss, "ucomiss")
BACKPLANE_SSE_COMPARE_FLAGS(Ucomisd, "ucomisd")

#undef BACKPLANE_SSE_COMPARE_FLAGS
#undef BACKPLANE_SSE_TO_INTEGER
#undef BACKPLANE_SSE_FROM_INTEGER
#undef BACKPLANE_SSE_COMPARISON
#undef BACKPLANE_SSE_SELECTION
#undef BACKPLANE_SSE_HORIZONTAL
#undef BACKPLANE_SSE_ARITHMETIC
#undef BACKPLANE_SSE_UNARY
#undef BACKPLANE_SSE_BINARY

}  // namespace backplane::x86::host
