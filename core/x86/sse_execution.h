// Runs a floating-point operation of host_sse.h for the guest, with its exceptions (SDM 1 11.5).
//
// With every exception masked the operation simply executes: the host's MXCSR has the guest's
// control bits and collects the flags (guest_floating_point.h). Otherwise it is tried with clean
// flags, and what it raised decides.
#pragma once

#include "x86/fp_availability.h"
#include "x86/host_sse.h"
#include "x86/sse_inexact.h"

#include <bit>
#include <optional>

namespace backplane::x86 {

// A nonzero number below the normal range in one of the lanes that can hold a result.
template <host::Tiny lanes, class Result>
bool has_tiny(const Result& result) {
    if constexpr (std::is_same_v<Result, Bits256>) {
        return has_tiny<lanes>(result.low) || has_tiny<lanes>(result.high);
    } else if constexpr (lanes == host::Tiny::Single || lanes == host::Tiny::PackedSingle) {
        const auto singles = to_lanes<std::uint32_t>(result);
        for (int i = 0; i < (lanes == host::Tiny::Single ? 1 : 4); ++i)
            if ((singles[i] & 0x7f800000) == 0 && (singles[i] & 0x007fffff) != 0) return true;
    } else if constexpr (lanes == host::Tiny::PackedHalf) {
        const auto halves = to_lanes<std::uint16_t>(result);
        for (int i = 0; i < lane_count<std::uint16_t, Bits128>; ++i)
            if ((halves[i] & 0x7c00) == 0 && (halves[i] & 0x03ff) != 0) return true;
    } else if constexpr (lanes == host::Tiny::Double || lanes == host::Tiny::PackedDouble) {
        for (int i = 0; i < (lanes == host::Tiny::Double ? 1 : 2); ++i)
            if ((result[i] & 0x7ff0000000000000) == 0 && (result[i] & 0x000fffffffffffff) != 0)
                return true;
    }
    return false;
}

// For operations whose result is never tiny and never overflows.
inline constexpr auto never_inexact = [](std::uint32_t) { return false; };

template <host::Tiny tiny, class M, class Compute, class Inexact>
[[gnu::noinline, gnu::cold]] auto execute_sse_checked(M& m, Compute compute, Inexact inexact)
    -> std::optional<decltype(compute())> {
    CpuState& state = m.state();
    std::uint32_t control = guest_mxcsr(state);
    const std::uint32_t unmasked = ~(control >> mxcsr::mask_shift) & mxcsr::flags;
    // SDM 1 11.5.2.5: unmasked underflow reports every tiny result, exact or not, and is not
    // flushed to zero.
    if (unmasked & mxcsr::underflow) control &= ~mxcsr::flush_to_zero;
    set_host_mxcsr((control & ~mxcsr::flags) | mxcsr::masks);
    const auto result = compute();
    std::uint32_t raised = host_mxcsr() & mxcsr::flags;

    // An unmasked exception before the computation hides those that would come after it (SDM 1
    // 11.5.4).
    constexpr std::uint32_t before = mxcsr::invalid | mxcsr::denormal | mxcsr::zero_divide;
    if (raised & unmasked & before) {
        raised &= before;
    } else {
        if ((unmasked & mxcsr::underflow) && has_tiny<tiny>(result)) raised |= mxcsr::underflow;
        if (raised & unmasked & (mxcsr::overflow | mxcsr::underflow)) {
            const bool rounded = inexact(control);
            raised = (raised & ~mxcsr::precision) | (rounded ? mxcsr::precision : 0);
        }
    }
    set_guest_mxcsr(state, state.mxcsr | raised);
    if (!(raised & unmasked)) return result;
    const bool delivered = state.cr4 & fp_control::cr4_osxmmexcpt;
    m.raise(Fault{delivered ? Vector::SimdFloatingPoint : Vector::InvalidOpcode});
    return {};
}

// The result of compute(), or nothing when an unmasked exception was raised; then the destination
// must not be written. inexact(MXCSR) is asked for PE when overflow or underflow is
// among the unmasked ones (sse_inexact.h).
template <host::Tiny tiny, class M, class Compute,
          class Inexact = std::remove_const_t<decltype(never_inexact)>>
[[gnu::always_inline]] inline auto execute_sse(M& m, Compute compute,
                                               Inexact inexact = never_inexact)
    -> std::optional<decltype(compute())> {
    static_assert(tiny == host::Tiny::Never ||
                  !std::is_same_v<Inexact, std::remove_const_t<decltype(never_inexact)>>);
    if ((m.state().mxcsr & mxcsr::masks) == mxcsr::masks) [[likely]]
        return compute();
    return execute_sse_checked<tiny>(m, compute, inexact);
}

// An operation of host_sse.h on its operands, the second of which may be the only one; on both
// halves of YMM registers.
template <class Operation, class M, class First, class... Second>
[[gnu::always_inline]] inline auto execute_operation(M& m, First a, Second... b) {
    const auto compute = [=] [[gnu::always_inline]] {
        return for_each_half([](auto... halves) __attribute__((
                                 always_inline)) { return Operation::compute(halves...); },
                             a, b...);
    };
    return execute_sse<Operation::tiny>(
        m, compute, [=](std::uint32_t control) { return is_inexact<Operation>(control, a, b...); });
}

}  // namespace backplane::x86
