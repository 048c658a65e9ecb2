// FXSAVE and FXRSTOR: the whole x87, MMX and SSE state in 512 bytes (SDM 1 10.5, SDM 2).
#pragma once

#include "x86/fp_availability.h"
#include "x86/fx_image.h"
#include "x86/machine.h"
#include "x86/vector_operand.h"

namespace backplane::x86::semantics {

// Common checks; the operand kind does the 16-byte alignment. A store that faults halfway leaves
// only memory changed.
template <class Operand, class M>
bool fx_area_accessible(M& m) {
    if (!x87_available<X87Check::NonWaiting>(m)) return false;
    return Operand::check(m, Operand::address(m));
}

// All of the area is judged, also what this mode leaves out of it.
constexpr std::uint64_t fx_last_byte = 511;

template <FxPointers pointers>
inline constexpr auto fxsave = [](auto& m, auto memory) __attribute__((always_inline)) {
    if (!fx_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    const std::uint64_t area = memory.address(m);
    const auto unchanged = [](std::uint8_t byte) { return byte; };
    if (!m.template update_atomically<std::uint8_t>(area, unchanged) ||
        !m.template update_atomically<std::uint8_t>(area + fx_last_byte, unchanged))
        return Outcome::Fault;
    const bool stored = fx_image::store_x87<pointers>(m, area) && fx_image::store_mxcsr(m, area) &&
                        fx_image::store_vectors(m, area);
    return stored ? Outcome::Next : Outcome::Fault;
};

template <FxPointers pointers>
inline constexpr auto fxrstor = [](auto& m, auto memory) __attribute__((always_inline)) {
    if (!fx_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const std::uint64_t area = memory.address(m);
    fx_image::X87Image x87;
    fx_image::VectorImage vectors;
    if (!m.template load<std::uint8_t>(area + fx_last_byte) ||
        !fx_image::load(m, area, x87, x87.size()) ||
        !fx_image::load(m, area + fx_image::vectors, vectors, fx_image::visible_vectors(state)))
        return Outcome::Fault;
    const auto new_mxcsr = static_cast<std::uint32_t>(x87[1][1]);
    if (new_mxcsr & ~mxcsr::writable) return m.raise(Fault{Vector::GeneralProtection});
    fx_image::set_x87<pointers>(state, x87);
    set_guest_mxcsr(state, new_mxcsr);
    fx_image::set_vectors(state, vectors);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
