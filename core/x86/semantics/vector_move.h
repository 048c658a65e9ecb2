// The moves of MMX, SSE and SSE2 (SDM 2). Operand kinds carry the widths and the alignment checks.
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/vector_operand.h"

namespace backplane::x86::semantics {

// As wide as the operand kinds say: all of a register, or a part of one that leaves the rest alone.
inline constexpr auto plain_move = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value || !dst.write(m, static_cast<typename decltype(dst)::Value>(*value)))
        return Outcome::Fault;
    return Outcome::Next;
};
inline constexpr auto vector_move = sse<plain_move>;
inline constexpr auto mmx_move = mmx<plain_move>;

// The whole of dst is written, zeros above the source.
inline constexpr auto vector_move_extended =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto value = src.read(m);
        if (!value) return Outcome::Fault;
        dst.write(m, zero_extend(*value));
        return Outcome::Next;
    }>;

// Halves: MOVLHPS, MOVHPS and MOVHPD load the upper one, MOVHLPS and the stores take it.
inline constexpr auto move_to_high =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        const auto high = src.read(m);
        if (!high) return Outcome::Fault;
        dst.write(m, Bits128{(*dst.read(m))[0], *high});
        return Outcome::Next;
    }>;

inline constexpr auto move_from_high =
    sse<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        return dst.write(m, (*src.read(m))[1]) ? Outcome::Next : Outcome::Fault;
    }>;

inline constexpr auto movq2dq =
    sse_with_mmx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        dst.write(m, zero_extend(*src.read(m)));
        return Outcome::Next;
    }>;

inline constexpr auto movdq2q =
    sse_with_mmx<[](auto& m, auto dst, auto src) __attribute__((always_inline)) {
        dst.write(m, *src.read(m));
        return Outcome::Next;
    }>;

// SDM 3A table 13-1: EMMS empties the registers and clears TOP; the values stay.
inline constexpr auto emms = [](auto& m) __attribute__((always_inline)) {
    if (!mmx_available(m)) return Outcome::Fault;
    m.state().x87.valid = 0;
    m.state().x87.status &= static_cast<std::uint16_t>(~x87_status::top);
    return Outcome::Next;
};

// Accesses are never reordered against each other here beyond what the host does itself.
inline constexpr auto store_fence = [](auto&) __attribute__((always_inline)) {
    asm volatile("sfence" : : : "memory");
    return Outcome::Next;
};
inline constexpr auto load_fence = [](auto&) __attribute__((always_inline)) {
    asm volatile("lfence" : : : "memory");
    return Outcome::Next;
};
inline constexpr auto memory_fence = [](auto&) __attribute__((always_inline)) {
    asm volatile("mfence" : : : "memory");
    return Outcome::Next;
};

// SDM 2, CLFLUSH: the address is checked like a load of one byte; there is no cache to flush.
inline constexpr auto clflush = [](auto& m, auto memory) __attribute__((always_inline)) {
    return memory.read(m) ? Outcome::Next : Outcome::Fault;
};

// SDM 2: a reserved bit is #GP.
inline constexpr auto load_mxcsr = [](auto& m, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    if (*value & ~mxcsr::writable) return m.raise(Fault{Vector::GeneralProtection});
    set_guest_mxcsr(m.state(), *value);
    return Outcome::Next;
};
inline constexpr auto ldmxcsr = sse<load_mxcsr>;

inline constexpr auto store_mxcsr = [](auto& m, auto dst) __attribute__((always_inline)) {
    return dst.write(m, guest_mxcsr(m.state())) ? Outcome::Next : Outcome::Fault;
};
inline constexpr auto stmxcsr = sse<store_mxcsr>;

}  // namespace backplane::x86::semantics
