// Keeps the host's MXCSR equal to the guest's while guest code runs, so that SSE instructions
// execute on the host unit.
//
// Inside enter_guest_fp .. leave_guest_fp the host register holds the guest's rounding, DAZ and FTZ
// bits with every exception masked; the sticky flags collect in the host register and reach
// CpuState::mxcsr when somebody looks. Host code that may compute with floating point (devices,
// services) is called under HostFloatingPoint.
#pragma once

#include "x86/cpu_state.h"

#include <cstdint>

namespace backplane::x86 {

// SDM 1 10.2.3.
namespace mxcsr {
constexpr std::uint32_t flags = 0x003f;
constexpr std::uint32_t invalid = 1u << 0, denormal = 1u << 1, zero_divide = 1u << 2;
constexpr std::uint32_t overflow = 1u << 3, underflow = 1u << 4, precision = 1u << 5;
constexpr std::uint32_t denormals_are_zero = 1u << 6;
constexpr std::uint32_t masks = 0x1f80;
constexpr unsigned mask_shift = 7;
constexpr std::uint32_t rounding = 3u << 13;
constexpr std::uint32_t flush_to_zero = 1u << 15;
constexpr std::uint32_t writable = 0xffff;  // MXCSR_MASK; a set bit outside it is #GP
constexpr std::uint32_t power_on = 0x1f80;
}  // namespace mxcsr

inline std::uint32_t host_mxcsr() {
    std::uint32_t value;
    asm volatile("stmxcsr %0" : "=m"(value));
    return value;
}

inline void set_host_mxcsr(std::uint32_t value) { asm volatile("ldmxcsr %0" : : "m"(value)); }

inline void load_guest_mxcsr(const CpuState& state) { set_host_mxcsr(state.mxcsr | mxcsr::masks); }

// The guest's MXCSR with every flag raised so far.
inline std::uint32_t guest_mxcsr(CpuState& state) {
    return state.mxcsr |= host_mxcsr() & mxcsr::flags;
}

inline void set_guest_mxcsr(CpuState& state, std::uint32_t value) {
    state.mxcsr = value;
    load_guest_mxcsr(state);
}

// [cpu thread] Around running guest code; CpuState::mxcsr is exact outside.
inline void enter_guest_fp(const CpuState& state) { load_guest_mxcsr(state); }

inline void leave_guest_fp(CpuState& state) {
    guest_mxcsr(state);
    set_host_mxcsr(mxcsr::power_on);
}

// [cpu thread] Puts the host's own MXCSR back for the scope of a call out of guest code, and
// afterwards the guest's, with none of the flags that the call raised. Costs two reads of MXCSR as
// long as the guest rounds as the host does. The x87 unit is the host's between instructions anyway
// (host_x87.h).
class HostFloatingPoint {
public:
    HostFloatingPoint() : guest_{host_mxcsr()} {
        if ((guest_ & ~mxcsr::flags) != mxcsr::power_on) set_host_mxcsr(mxcsr::power_on);
    }
    ~HostFloatingPoint() {
        if (host_mxcsr() != guest_) set_host_mxcsr(guest_);
    }
    HostFloatingPoint(const HostFloatingPoint&) = delete;
    HostFloatingPoint& operator=(const HostFloatingPoint&) = delete;

private:
    std::uint32_t guest_;
};

}  // namespace backplane::x86
