// The XSAVE area and the state components that XCR0 can enable: x87, SSE and AVX (SDM 1 13).
#pragma once

#include "x86/cpu_model.h"
#include "x86/cpu_state.h"
#include "x86/guest_floating_point.h"
#include "x86/x87_stack.h"

#include <algorithm>

namespace backplane::x86::xsave {

constexpr std::uint64_t x87 = 1u << 0, sse = 1u << 1, avx = 1u << 2;
constexpr std::uint64_t compacted = std::uint64_t{1} << 63;  // of XCOMP_BV

constexpr std::uint64_t header = 512, xcomp_bv = header + 8, header_size = 64;
// Also in the compacted format, as nothing comes before it.
constexpr std::uint64_t avx_offset = header + header_size, avx_size = 256;

constexpr std::uint32_t area_size(std::uint64_t components) {
    return static_cast<std::uint32_t>(avx_offset + (components & avx ? avx_size : 0));
}

// What XCR0 may enable.
inline std::uint64_t supported(const CpuModel& model) {
    return x87 | sse | (model.has(Feature::Avx) ? avx : 0);
}

// SDM 2, XSETBV.
inline bool is_valid_xcr0(const CpuModel& model, std::uint64_t value) {
    return !(value & ~supported(model)) && (value & x87) && (!(value & avx) || (value & sse));
}

// XINUSE: the components that are not in their initial configuration (SDM 1 13.6). MXCSR does not
// count.
inline std::uint64_t in_use(const CpuState& state) {
    const X87State& fpu = state.x87;
    const bool registers = std::ranges::any_of(fpu.registers, [](const Float80& value) {
        return value.significand || value.sign_exponent;
    });
    const bool pointers = fpu.last_opcode || fpu.last_instruction || fpu.last_data ||
                          fpu.last_instruction_selector || fpu.last_data_selector;
    std::uint64_t used = 0;
    if (fpu.control != x87_control::power_on || fpu.status || fpu.valid || registers || pointers)
        used |= x87;
    const auto is_zero = [](std::uint8_t byte) { return byte == 0; };
    for (const VectorRegister& vector : state.vectors) {
        if (!std::all_of(vector.bytes.begin(), vector.bytes.begin() + 16, is_zero)) used |= sse;
        if (!std::all_of(vector.bytes.begin() + 16, vector.bytes.end(), is_zero)) used |= avx;
    }
    return used;
}

}  // namespace backplane::x86::xsave
