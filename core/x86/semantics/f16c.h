// F16C: half precision in memory and registers (SDM 2).
#pragma once

#include "x86/host_f16c.h"
#include "x86/semantics/avx_float.h"

namespace backplane::x86::semantics {

inline constexpr auto vcvtph2ps = float_unary<host::Vcvtph2ps>;
inline constexpr auto vcvtph2ps_ymm = convert_to_ymm<host::Vcvtph2ps>;

// Where the store faults, the conversion has raised nothing.
inline constexpr auto vcvtps2ph =
    avx<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        using Operation = host::Vcvtps2ph;
        const auto value = *src.read(m);
        const std::uint8_t by = *control.read(m);
        CpuState& state = m.state();
        const std::uint32_t mxcsr_before = decltype(dst)::is_memory ? guest_mxcsr(state) : 0;
        const auto result = execute_sse<Operation::tiny>(
            m,
            [=] [[gnu::always_inline]] {
                const Bits128 low = Operation::compute(low_half(value), by);
                if constexpr (sizeof value == sizeof(Bits256))
                    return Bits128{low[0], Operation::compute(value.high, by)[0]};
                else
                    return low;
            },
            [=](std::uint32_t control) {
                using inexactness::is_any_half_inexact;
                if constexpr (sizeof value == sizeof(Bits256))
                    return is_any_half_inexact(value.low, control) ||
                           is_any_half_inexact(value.high, control);
                else
                    return is_any_half_inexact(value, control);
            });
        if (!result) return Outcome::Fault;
        bool written;
        if constexpr (sizeof value == sizeof(Bits256))
            written = dst.write(m, *result);
        else
            written = dst.write(m, (*result)[0]);
        if (written) return Outcome::Next;
        set_guest_mxcsr(state, mxcsr_before);
        return Outcome::Fault;
    }>;

}  // namespace backplane::x86::semantics
