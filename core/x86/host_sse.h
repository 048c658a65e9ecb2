// The floating-point operations of SSE and SSE2, each executed by the host's own instruction.
//
// Operand order is fixed by the assembly, so NaN propagation, rounding and flags are the
// processor's. Each operation says what its result is made of, for the check of tiny results when
// underflow is unmasked (sse_execution.h). `volatile` keeps an operation between the MXCSR
// accesses around it.
#pragma once

#include "x86/vector.h"

#include <cstdint>

namespace backplane::x86::host {

// Which lanes of a result can be tiny.
enum class Tiny : std::uint8_t { Never, Single, Double, PackedSingle, PackedDouble, PackedHalf };

// What an operation computes in each lane of a result that can be tiny (sse_inexact.h).
enum class LaneOperation : std::uint8_t {
    Other,
    Add,
    Subtract,
    Multiply,
    Divide,
    SubtractAdd,  // in even and in odd lanes
    AddPairs,     // of neighbours in a, then in b
    SubtractPairs,
    Narrow,  // to single precision
};

#define BACKPLANE_SSE_BINARY(Name, instruction, tiny_lanes, operation)                             \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        static constexpr LaneOperation lane_operation = LaneOperation::operation;                  \
        [[gnu::always_inline]] static Bits128 compute(Bits128 a, Bits128 b) {                      \
            asm volatile(instruction " %1, %0" : "+x"(a) : "x"(b));                                \
            return a;                                                                              \
        }                                                                                          \
    };

// An operation whose destination's upper lanes survive is binary; one that replaces them is unary.
#define BACKPLANE_SSE_UNARY(Name, instruction, tiny_lanes, operation)                              \
    struct Name {                                                                                  \
        static constexpr Tiny tiny = Tiny::tiny_lanes;                                             \
        static constexpr LaneOperation lane_operation = LaneOperation::operation;                  \
        [[gnu::always_inline]] static Bits128 compute(Bits128 b) {                                 \
            Bits128 result;                                                                        \
            asm volatile(instruction " %1, %0" : "=x"(result) : "x"(b));                           \
            return result;                                                                         \
        }                                                                                          \
    };

#define BACKPLANE_SSE_ARITHMETIC(Name, stem, operation)                                            \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", PackedSingle, operation)                             \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", PackedDouble, operation)                             \
    BACKPLANE_SSE_BINARY(Name##ss, stem "ss", Single, operation)                                   \
    BACKPLANE_SSE_BINARY(Name##sd, stem "sd", Double, operation)

BACKPLANE_SSE_ARITHMETIC(Add, "add", Add)
BACKPLANE_SSE_ARITHMETIC(Sub, "sub", Subtract)
BACKPLANE_SSE_ARITHMETIC(Mul, "mul", Multiply)
BACKPLANE_SSE_ARITHMETIC(Div, "div", Divide)

// SSE3: neighbours combined, and subtraction in the even lanes with addition in the odd ones.
#define BACKPLANE_SSE_HORIZONTAL(Name, stem, operation)                                            \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", PackedSingle, operation)                             \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", PackedDouble, operation)

BACKPLANE_SSE_HORIZONTAL(Addsub, "addsub", SubtractAdd)
BACKPLANE_SSE_HORIZONTAL(Hadd, "hadd", AddPairs)
BACKPLANE_SSE_HORIZONTAL(Hsub, "hsub", SubtractPairs)

// SDM 2: minimum and maximum return an operand as it is, so a denormal result is no underflow.
#define BACKPLANE_SSE_SELECTION(Name, stem)                                                        \
    BACKPLANE_SSE_BINARY(Name##ps, stem "ps", Never, Other)                                        \
    BACKPLANE_SSE_BINARY(Name##pd, stem "pd", Never, Other)                                        \
    BACKPLANE_SSE_BINARY(Name##ss, stem "ss", Never, Other)                                        \
    BACKPLANE_SSE_BINARY(Name##sd, stem "sd", Never, Other)

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

BACKPLANE_SSE_UNARY(Sqrtps, "sqrtps", Never, Other)
BACKPLANE_SSE_UNARY(Sqrtpd, "sqrtpd", Never, Other)
BACKPLANE_SSE_BINARY(Sqrtss, "sqrtss", Never, Other)
BACKPLANE_SSE_BINARY(Sqrtsd, "sqrtsd", Never, Other)
BACKPLANE_SSE_UNARY(Rcpps, "rcpps", Never, Other)
BACKPLANE_SSE_BINARY(Rcpss, "rcpss", Never, Other)
BACKPLANE_SSE_UNARY(Rsqrtps, "rsqrtps", Never, Other)
BACKPLANE_SSE_BINARY(Rsqrtss, "rsqrtss", Never, Other)

BACKPLANE_SSE_UNARY(Cvtps2pd, "cvtps2pd", Never, Other)
BACKPLANE_SSE_UNARY(Cvtpd2ps, "cvtpd2ps", PackedSingle, Narrow)
BACKPLANE_SSE_BINARY(Cvtss2sd, "cvtss2sd", Never, Other)
BACKPLANE_SSE_BINARY(Cvtsd2ss, "cvtsd2ss", Single, Narrow)
BACKPLANE_SSE_UNARY(Cvtdq2ps, "cvtdq2ps", Never, Other)
BACKPLANE_SSE_UNARY(Cvtdq2pd, "cvtdq2pd", Never, Other)
BACKPLANE_SSE_UNARY(Cvtps2dq, "cvtps2dq", Never, Other)
BACKPLANE_SSE_UNARY(Cvttps2dq, "cvttps2dq", Never, Other)
BACKPLANE_SSE_UNARY(Cvtpd2dq, "cvtpd2dq", Never, Other)
BACKPLANE_SSE_UNARY(Cvttpd2dq, "cvttpd2dq", Never, Other)

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
