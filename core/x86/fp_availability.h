// Whether x87, MMX and SSE instructions may execute now: the checks that come before their operands
// are touched.
#pragma once

#include "x86/fault.h"
#include "x86/guest_floating_point.h"
#include "x86/vector.h"
#include "x86/x87_stack.h"

#include <utility>

namespace backplane::x86 {

namespace fp_control {
constexpr std::uint64_t cr0_pe = 1u << 0, cr0_mp = 1u << 1, cr0_em = 1u << 2, cr0_ts = 1u << 3,
                        cr0_ne = 1u << 5;
constexpr std::uint64_t cr4_osfxsr = 1u << 9, cr4_osxmmexcpt = 1u << 10, cr4_osxsave = 1u << 18;
constexpr std::uint64_t xcr0_avx = 6;  // the SSE and the AVX state
}  // namespace fp_control

// SDM 3A 2.5. An unmasked exception waits in the status word for the next instruction that checks,
// which raises #MF. With CR0.NE clear the engine turns that into FERR#, and the instruction waits
// for the interrupt that comes of it, unless IGNNE# says to go on.
inline bool x87_error_pending(const CpuState& state) {
    return (state.x87.status & x87_status::error_summary) &&
           ((state.cr0 & fp_control::cr0_ne) || !state.ignore_numeric_error);
}

enum class X87Check : std::uint8_t { Waiting, NonWaiting };

template <X87Check check, class M>
[[gnu::always_inline]] inline bool x87_available(M& m) {
    using namespace fp_control;
    const CpuState& state = m.state();
    if (state.cr0 & (cr0_em | cr0_ts)) [[unlikely]] {
        m.raise(Fault{Vector::DeviceNotAvailable});
        return false;
    }
    if (check == X87Check::Waiting && (state.x87.status & x87_status::error_summary)) [[unlikely]] {
        if (!x87_error_pending(state)) return true;
        m.raise(Fault{Vector::FloatingPoint});
        return false;
    }
    return true;
}

// SDM 2 table 2-27 and SDM 3A 12.1: MMX with emulation on is #UD, not #NM.
template <class M>
[[gnu::always_inline]] inline bool mmx_available(M& m) {
    if (m.state().cr0 & fp_control::cr0_em) [[unlikely]] {
        m.raise(Fault{Vector::InvalidOpcode});
        return false;
    }
    return x87_available<X87Check::Waiting>(m);
}

template <class M>
[[gnu::always_inline]] inline bool sse_available(M& m) {
    using namespace fp_control;
    const CpuState& state = m.state();
    if (((state.cr0 & (cr0_em | cr0_ts)) | (~state.cr4 & cr4_osfxsr)) == 0) [[likely]]
        return true;
    const bool undefined = (state.cr0 & cr0_em) || !(state.cr4 & cr4_osfxsr);
    m.raise(Fault{undefined ? Vector::InvalidOpcode : Vector::DeviceNotAvailable});
    return false;
}

// SDM 1 14.3 and SDM 2 2.3.10: VEX encodings exist in protected mode, once the system has enabled
// the AVX state. CR0.EM and CR4.OSFXSR do not count.
template <class M>
[[gnu::always_inline]] inline bool avx_available(M& m) {
    using namespace fp_control;
    const CpuState& state = m.state();
    const bool enabled = ((~state.cr0 & cr0_pe) | (~state.cr4 & cr4_osxsave) |
                          (~state.xcr0 & xcr0_avx) | (state.rflags & rflags::vm)) == 0;
    if (enabled && !(state.cr0 & cr0_ts)) [[likely]]
        return true;
    m.raise(Fault{enabled ? Vector::DeviceNotAvailable : Vector::InvalidOpcode});
    return false;
}

// Operand kinds of VEX encodings say so (vex_operand.h).
template <class Operand>
inline constexpr bool is_vex_operand = requires { requires Operand::is_vex; };

// SDM 1 9.5.1: an MMX instruction makes every x87 register valid and ST(0) the physical register 0.
inline void enter_mmx(CpuState& state) {
    state.x87.status &= static_cast<std::uint16_t>(~x87_status::top);
    state.x87.valid = 0xff;
}

namespace semantics {

// The checks around a body, by the kind of instruction. A body is a semantic that assumes they were
// made.

template <auto body>
inline constexpr auto avx = [](auto& m, auto... operands) __attribute__((always_inline)) {
    if (!avx_available(m)) [[unlikely]]
        return Outcome::Fault;
    return body(m, operands...);
};

// An SSE instruction, or its VEX form when an operand is one of those.
template <auto body>
inline constexpr auto sse = [](auto& m, auto... operands) __attribute__((always_inline)) {
    if constexpr ((is_vex_operand<decltype(operands)> || ...)) {
        return avx<body>(m, operands...);
    } else {
        if (!sse_available(m)) [[unlikely]]
            return Outcome::Fault;
        return body(m, operands...);
    }
};

template <auto body>
inline constexpr auto mmx = [](auto& m, auto... operands) __attribute__((always_inline)) {
    if (!mmx_available(m)) [[unlikely]]
        return Outcome::Fault;
    const Outcome outcome = body(m, operands...);
    if (outcome == Outcome::Next) enter_mmx(m.state());
    return outcome;
};

// An SSE instruction with an MMX register operand.
template <auto body>
inline constexpr auto sse_with_mmx = [](auto& m, auto... operands) __attribute__((always_inline)) {
    if (!sse_available(m) || !x87_available<X87Check::Waiting>(m)) [[unlikely]]
        return Outcome::Fault;
    const Outcome outcome = body(m, operands...);
    if (outcome == Outcome::Next) enter_mmx(m.state());
    return outcome;
};

// An integer instruction that exists for both register files: the width of the first operand tells
// which it is.
template <auto body>
inline constexpr auto vector =
    [](auto& m, auto first, auto... operands) __attribute__((always_inline)) {
        if constexpr (sizeof(typename decltype(first)::Value) == sizeof(Bits64))
            return mmx<body>(m, first, operands...);
        else
            return sse<body>(m, first, operands...);
    };

}  // namespace semantics
}  // namespace backplane::x86
