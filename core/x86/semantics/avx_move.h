// The moves of AVX that differ from those of SSE by a source of their own, and those that clear
// registers (SDM 2).
#pragma once

#include "x86/fx_image.h"
#include "x86/semantics/vector_move.h"
#include "x86/vex_operand.h"

namespace backplane::x86::semantics {

// VMOVSS, VMOVSD and VMOVLPS: the low element is replaced.
template <class T>
inline constexpr auto move_to_low =
    avx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto value = src.read(m);
        if (!value) return Outcome::Fault;
        auto elements = to_lanes<T>(*dst.read(m));
        elements[0] = *value;
        dst.write(m, from_lanes<Bits128>(elements));
        return Outcome::Next;
    }>;

inline constexpr auto vmovhlps =
    avx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        dst.write(m, Bits128{(*src.read(m))[1], (*dst.read(m))[1]});
        return Outcome::Next;
    }>;

// Outside 64-bit mode the upper eight registers keep their contents (SDM 2, VZEROALL).
inline constexpr auto vzeroupper = avx<[](auto& m) __attribute__((always_inline)) {
    CpuState& state = m.state();
    for (unsigned i = 0; i < fx_image::visible_vectors(state); ++i)
        std::memset(state.vectors[i].bytes.data() + 16, 0, 16);
    return Outcome::Next;
}>;

inline constexpr auto vzeroall = avx<[](auto& m) __attribute__((always_inline)) {
    CpuState& state = m.state();
    for (unsigned i = 0; i < fx_image::visible_vectors(state); ++i)
        state.vectors[i] = {};
    return Outcome::Next;
}>;

inline constexpr auto vldmxcsr = avx<load_mxcsr>;
inline constexpr auto vstmxcsr = avx<store_mxcsr>;

}  // namespace backplane::x86::semantics
