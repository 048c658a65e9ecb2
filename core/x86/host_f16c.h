// Conversions between half and single precision, executed by the host's own instructions.
#pragma once

#include "x86/constant_argument.h"
#include "x86/host_sse.h"

namespace backplane::x86::host {

// SDM 2, VCVTPH2PS: MXCSR.DAZ does not apply to half precision.
struct Vcvtph2ps {
    static constexpr Tiny tiny = Tiny::Never;
    static constexpr LaneOperation lane_operation = LaneOperation::Other;
    [[gnu::always_inline]] static Bits128 compute(Bits128 b) {
        Bits128 result;
        asm volatile("vcvtph2ps %1, %0" : "=x"(result) : "x"(b));
        return result;
    }
};

// SDM 2, VCVTPS2PH: the low two bits of the control byte are the rounding mode, bit 2 asks for
// MXCSR's.
struct Vcvtps2ph {
    static constexpr Tiny tiny = Tiny::PackedHalf;
    [[gnu::always_inline]] static Bits128 compute(Bits128 b, std::uint8_t control) {
        constexpr auto execute = []<unsigned mode>(Bits128& to,
                                                   Bits128 from) __attribute__((always_inline)) {
            asm volatile("vcvtps2ph %2, %1, %0" : "=x"(to) : "x"(from), "i"(mode));
        };
        Bits128 result{};
        with_constant<8>(control & 7, execute, result, b);
        return result;
    }
};

}  // namespace backplane::x86::host
