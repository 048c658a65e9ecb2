// The x87 operations, each executed by the host's own instruction under the guest's control word.
//
// Every function loads the host's empty register stack, executes one instruction, reads the status
// word and takes the result out. Unmasked exceptions are exact too: the host reports an x87
// exception only at its next waiting instruction, and the status word is read and cleared by
// non-waiting ones before that. A HostX87 must be in scope.
#pragma once

#include "x86/x87_format.h"
#include "x86/x87_stack.h"

namespace backplane::x86::host {

// The host's control word and exception flags arranged for one operation.
//
// Flags the guest has raised already may stay set in the host: they change nothing and clearing
// them is slow.
class HostX87 {
public:
    enum class Conditions : std::uint8_t { FromGuest };

    // Some instructions define C0, C2 and C3 only for some operands; they have to start with the
    // guest's.
    HostX87(const X87State& guest, Conditions) : foreign_{is_foreign(guest)} {
        const std::array<std::uint32_t, 7> environment{
            guest.control, guest.status & std::uint32_t{x87_status::conditions}, 0xffff};
        asm volatile("fldenv %0" : : "m"(environment));
    }

    explicit HostX87(const X87State& guest) : foreign_{is_foreign(guest)} {
        asm volatile("fnstsw %0" : "=a"(status_));
        const bool stale = status_ & x87_status::flags & ~guest.status;
        const bool any_unmasked = (guest.control & x87_control::masks) != x87_control::masks;
        if (stale || any_unmasked) asm volatile("fnclex");
        if (foreign_) asm volatile("fldcw %0" : : "m"(guest.control));
    }

    ~HostX87() {
        if (foreign_) asm volatile("fldcw %0" : : "m"(x87_control::power_on));
    }

    // Whether the operation behind `status` pushed a value.
    bool has_pushed(std::uint16_t status) const { return (status ^ status_) & x87_status::top; }

    HostX87(const HostX87&) = delete;
    HostX87& operator=(const HostX87&) = delete;

private:
    static bool is_foreign(const X87State& guest) {
        constexpr unsigned relevant = 0x0f3f;  // masks, precision and rounding control
        return (guest.control & relevant) != (x87_control::power_on & relevant);
    }

    std::uint16_t status_ = 0;
    bool foreign_;
};

struct X87Result {
    Float80 value;
    std::uint16_t status;
};

struct X87Pair {
    Float80 st0, st1;
    std::uint16_t status;
};

// A pending unmasked exception is taken away before the waiting instructions that empty the stack;
// what it may have left on the stack goes with FNINIT.
#define BACKPLANE_X87_RUN(loads, instruction, stores)                                              \
    loads "\n\t" instruction "\n\tfnstsw %%ax\n\t"                                                 \
          "testb $0x80, %%al\n\tjz 1f\n\tfnclex\n\tfldcw %[masked]\n1:\n\t" stores                 \
          "\n\ttestb $0x80, %%al\n\tjz 2f\n\tfninit\n2:"

#define BACKPLANE_X87_MASKED [masked] "m"(x87_control::power_on)

// ST(0) := ST(0) op register.
#define BACKPLANE_X87_REGISTER(instruction)                                                        \
    [[gnu::always_inline]] static X87Result compute(const Float80& a, const Float80& b) {          \
        X87Result result;                                                                          \
        asm volatile(BACKPLANE_X87_RUN("fldt %[b]\n\tfldt %[a]", instruction " %%st(1), %%st",     \
                                       "fstpt %[r]\n\tfstp %%st(0)")                               \
                     : [r] "=m"(result.value), "=&a"(result.status)                                \
                     : [a] "m"(a), [b] "m"(b), BACKPLANE_X87_MASKED                                \
                     : "cc");                                                                      \
        return result;                                                                             \
    }

// ST(0) := ST(0) op memory.
#define BACKPLANE_X87_MEMORY(Type, instruction)                                                    \
    [[gnu::always_inline]] static X87Result compute(const Float80& a, const Type& b) {             \
        X87Result result;                                                                          \
        asm volatile(BACKPLANE_X87_RUN("fldt %[a]", instruction " %[b]", "fstpt %[r]")             \
                     : [r] "=m"(result.value), "=&a"(result.status)                                \
                     : [a] "m"(a), [b] "m"(b), BACKPLANE_X87_MASKED                                \
                     : "cc");                                                                      \
        return result;                                                                             \
    }

#define BACKPLANE_X87_ARITHMETIC(Name, stem)                                                       \
    struct Name {                                                                                  \
        BACKPLANE_X87_REGISTER("f" stem)                                                           \
        BACKPLANE_X87_MEMORY(Real32, "f" stem "s")                                                 \
        BACKPLANE_X87_MEMORY(Real64, "f" stem "l")                                                 \
        BACKPLANE_X87_MEMORY(std::int16_t, "fi" stem "s")                                          \
        BACKPLANE_X87_MEMORY(std::int32_t, "fi" stem "l")                                          \
    };

BACKPLANE_X87_ARITHMETIC(Fadd, "add")
BACKPLANE_X87_ARITHMETIC(Fmul, "mul")
BACKPLANE_X87_ARITHMETIC(Fsub, "sub")
BACKPLANE_X87_ARITHMETIC(Fsubr, "subr")
BACKPLANE_X87_ARITHMETIC(Fdiv, "div")
BACKPLANE_X87_ARITHMETIC(Fdivr, "divr")

// Comparisons leave their result in C0, C2 and C3.
#define BACKPLANE_X87_COMPARE_REGISTER(instruction)                                                \
    [[gnu::always_inline]] static std::uint16_t compute(const Float80& a, const Float80& b) {      \
        std::uint16_t status;                                                                      \
        asm volatile(BACKPLANE_X87_RUN("fldt %[b]\n\tfldt %[a]", instruction " %%st(1)",           \
                                       "fstp %%st(0)\n\tfstp %%st(0)")                             \
                     : "=&a"(status)                                                               \
                     : [a] "m"(a), [b] "m"(b), BACKPLANE_X87_MASKED                                \
                     : "cc");                                                                      \
        return status;                                                                             \
    }

#define BACKPLANE_X87_COMPARE_MEMORY(Type, instruction)                                            \
    [[gnu::always_inline]] static std::uint16_t compute(const Float80& a, const Type& b) {         \
        std::uint16_t status;                                                                      \
        asm volatile(BACKPLANE_X87_RUN("fldt %[a]", instruction " %[b]", "fstp %%st(0)")           \
                     : "=&a"(status)                                                               \
                     : [a] "m"(a), [b] "m"(b), BACKPLANE_X87_MASKED                                \
                     : "cc");                                                                      \
        return status;                                                                             \
    }

struct Fcom {
    BACKPLANE_X87_COMPARE_REGISTER("fcom")
    BACKPLANE_X87_COMPARE_MEMORY(Real32, "fcoms")
    BACKPLANE_X87_COMPARE_MEMORY(Real64, "fcoml")
    BACKPLANE_X87_COMPARE_MEMORY(std::int16_t, "ficoms")
    BACKPLANE_X87_COMPARE_MEMORY(std::int32_t, "ficoml")
};

struct Fucom {
    BACKPLANE_X87_COMPARE_REGISTER("fucom")
};

// Instructions that examine ST(0) alone.
#define BACKPLANE_X87_EXAMINE(Name, instruction)                                                   \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static std::uint16_t compute(const Float80& a) {                    \
            std::uint16_t status;                                                                  \
            asm volatile(BACKPLANE_X87_RUN("fldt %[a]", instruction, "fstp %%st(0)")               \
                         : "=&a"(status)                                                           \
                         : [a] "m"(a), BACKPLANE_X87_MASKED                                        \
                         : "cc");                                                                  \
            return status;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_EXAMINE(Ftst, "ftst")
BACKPLANE_X87_EXAMINE(Fxam, "fxam")

// ST(0) := f(ST(0)).
#define BACKPLANE_X87_UNARY(Name, instruction)                                                     \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static X87Result compute(const Float80& a) {                        \
            X87Result result;                                                                      \
            asm volatile(BACKPLANE_X87_RUN("fldt %[a]", instruction, "fstpt %[r]")                 \
                         : [r] "=m"(result.value), "=&a"(result.status)                            \
                         : [a] "m"(a), BACKPLANE_X87_MASKED                                        \
                         : "cc");                                                                  \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_UNARY(Fabs, "fabs")
BACKPLANE_X87_UNARY(Fchs, "fchs")
BACKPLANE_X87_UNARY(Fsqrt, "fsqrt")
BACKPLANE_X87_UNARY(Frndint, "frndint")
BACKPLANE_X87_UNARY(F2xm1, "f2xm1")
BACKPLANE_X87_UNARY(Fsin, "fsin")
BACKPLANE_X87_UNARY(Fcos, "fcos")

// ST(0) := f(ST(0), ST(1)), without a pop.
#define BACKPLANE_X87_SCALING(Name, instruction)                                                   \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static X87Result compute(const Float80& st0, const Float80& st1) {  \
            X87Result result;                                                                      \
            asm volatile(BACKPLANE_X87_RUN("fldt %[b]\n\tfldt %[a]", instruction,                  \
                                           "fstpt %[r]\n\tfstp %%st(0)")                           \
                         : [r] "=m"(result.value), "=&a"(result.status)                            \
                         : [a] "m"(st0), [b] "m"(st1), BACKPLANE_X87_MASKED                        \
                         : "cc");                                                                  \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_SCALING(Fscale, "fscale")
BACKPLANE_X87_SCALING(Fprem, "fprem")
BACKPLANE_X87_SCALING(Fprem1, "fprem1")

// ST(1) := f(ST(0), ST(1)), then a pop.
#define BACKPLANE_X87_FOLDING(Name, instruction)                                                   \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static X87Result compute(const Float80& st0, const Float80& st1) {  \
            X87Result result;                                                                      \
            asm volatile(BACKPLANE_X87_RUN("fldt %[b]\n\tfldt %[a]", instruction, "fstpt %[r]")    \
                         : [r] "=m"(result.value), "=&a"(result.status)                            \
                         : [a] "m"(st0), [b] "m"(st1), BACKPLANE_X87_MASKED                        \
                         : "cc");                                                                  \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_FOLDING(Fpatan, "fpatan")
BACKPLANE_X87_FOLDING(Fyl2x, "fyl2x")
BACKPLANE_X87_FOLDING(Fyl2xp1, "fyl2xp1")

// ST(0) becomes two values, the second of them pushed, or not (C2): popping it must be masked in
// any case.
#define BACKPLANE_X87_SPLITTING(Name, instruction)                                                 \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static X87Pair compute(const Float80& a) {                          \
            X87Pair result;                                                                        \
            asm volatile(                                                                          \
                BACKPLANE_X87_RUN("fldt %[a]", instruction,                                        \
                                  "fnclex\n\tfldcw %[masked]\n\tfstpt %[x]\n\tfstpt %[y]")         \
                : [x] "=m"(result.st0), [y] "=m"(result.st1), "=&a"(result.status)                 \
                : [a] "m"(a), BACKPLANE_X87_MASKED                                                 \
                : "cc");                                                                           \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_SPLITTING(Fptan, "fptan")
BACKPLANE_X87_SPLITTING(Fsincos, "fsincos")
BACKPLANE_X87_SPLITTING(Fxtract, "fxtract")

// Constants are rounded as the control word says (SDM 1 8.3.2).
#define BACKPLANE_X87_CONSTANT(Name, instruction)                                                  \
    struct Name {                                                                                  \
        [[gnu::always_inline]] static X87Result compute() {                                        \
            X87Result result;                                                                      \
            asm volatile(BACKPLANE_X87_RUN("", instruction, "fstpt %[r]")                          \
                         : [r] "=m"(result.value), "=&a"(result.status)                            \
                         : BACKPLANE_X87_MASKED                                                    \
                         : "cc");                                                                  \
            return result;                                                                         \
        }                                                                                          \
    };

BACKPLANE_X87_CONSTANT(Fld1, "fld1")
BACKPLANE_X87_CONSTANT(Fldl2t, "fldl2t")
BACKPLANE_X87_CONSTANT(Fldl2e, "fldl2e")
BACKPLANE_X87_CONSTANT(Fldpi, "fldpi")
BACKPLANE_X87_CONSTANT(Fldlg2, "fldlg2")
BACKPLANE_X87_CONSTANT(Fldln2, "fldln2")
BACKPLANE_X87_CONSTANT(Fldz, "fldz")

// Conversions from and to the memory formats.
#define BACKPLANE_X87_LOAD(Type, instruction)                                                      \
    [[gnu::always_inline]] inline X87Result load(const Type& from) {                               \
        X87Result result;                                                                          \
        asm volatile(BACKPLANE_X87_RUN("", instruction " %[b]", "fstpt %[r]")                      \
                     : [r] "=m"(result.value), "=&a"(result.status)                                \
                     : [b] "m"(from), BACKPLANE_X87_MASKED                                         \
                     : "cc");                                                                      \
        return result;                                                                             \
    }

BACKPLANE_X87_LOAD(Real32, "flds")
BACKPLANE_X87_LOAD(Real64, "fldl")
BACKPLANE_X87_LOAD(std::int16_t, "filds")
BACKPLANE_X87_LOAD(std::int32_t, "fildl")
BACKPLANE_X87_LOAD(std::int64_t, "fildll")
BACKPLANE_X87_LOAD(Bcd80, "fbld")

// `to` is left alone when an unmasked exception prevents the store.
#define BACKPLANE_X87_STORE(Type, instruction)                                                     \
    [[gnu::always_inline]] inline std::uint16_t store(const Float80& from, Type& to) {             \
        std::uint16_t status;                                                                      \
        asm volatile(BACKPLANE_X87_RUN("fldt %[a]", instruction " %[r]", "")                       \
                     : [r] "+m"(to), "=&a"(status)                                                 \
                     : [a] "m"(from), BACKPLANE_X87_MASKED                                         \
                     : "cc");                                                                      \
        return status;                                                                             \
    }

BACKPLANE_X87_STORE(Real32, "fstps")
BACKPLANE_X87_STORE(Real64, "fstpl")
BACKPLANE_X87_STORE(std::int16_t, "fistps")
BACKPLANE_X87_STORE(std::int32_t, "fistpl")
BACKPLANE_X87_STORE(std::int64_t, "fistpll")
BACKPLANE_X87_STORE(Bcd80, "fbstp")
BACKPLANE_X87_STORE(Truncated16, "fisttps")
BACKPLANE_X87_STORE(Truncated32, "fisttpl")
BACKPLANE_X87_STORE(Truncated64, "fisttpll")

#undef BACKPLANE_X87_STORE
#undef BACKPLANE_X87_LOAD
#undef BACKPLANE_X87_CONSTANT
#undef BACKPLANE_X87_SPLITTING
#undef BACKPLANE_X87_FOLDING
#undef BACKPLANE_X87_SCALING
#undef BACKPLANE_X87_UNARY
#undef BACKPLANE_X87_EXAMINE
#undef BACKPLANE_X87_COMPARE_MEMORY
#undef BACKPLANE_X87_COMPARE_REGISTER
#undef BACKPLANE_X87_ARITHMETIC
#undef BACKPLANE_X87_MEMORY
#undef BACKPLANE_X87_REGISTER
#undef BACKPLANE_X87_MASKED
#undef BACKPLANE_X87_RUN

}  // namespace backplane::x86::host
