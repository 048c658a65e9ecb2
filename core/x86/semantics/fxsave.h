// FXSAVE and FXRSTOR: the whole x87, MMX and SSE state in 512 bytes (SDM 1 10.5, SDM 2).
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/vector_operand.h"
#include "x86/x87_format.h"

namespace backplane::x86::semantics {

// How the last-instruction and last-data pointers are kept: as 64-bit offsets under REX.W, else 32
// bits and a selector.
enum class FxPointers : std::uint8_t { Offset32, Offset64 };

namespace fx_image {
constexpr std::uint64_t registers = 32, vectors = 160;
}

inline unsigned visible_vectors(const CpuState& state) { return state.code64() ? 16 : 8; }

// Common checks; the operand kind does the 16-byte alignment. A store that faults halfway leaves
// only memory changed.
template <class Operand, class M>
bool fx_area_accessible(M& m) {
    if (!x87_available<X87Check::NonWaiting>(m)) return false;
    return Operand::check(m, Operand::address(m));
}

template <FxPointers pointers>
inline constexpr auto fxsave = [](auto& m, auto memory) __attribute__((always_inline)) {
    if (!fx_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const X87State& x87 = state.x87;
    const std::uint64_t area = memory.address(m);
    constexpr std::uint64_t pointer_mask = pointers == FxPointers::Offset64 ? ~std::uint64_t{0}
                                                                            : 0xffffffff;
    const std::uint64_t words = x87.control | std::uint64_t{x87.status} << 16 |
                                std::uint64_t{x87.valid} << 32 |
                                std::uint64_t{x87.last_opcode} << 48;
    const std::uint64_t mxcsr_pair = guest_mxcsr(state) | std::uint64_t{mxcsr::writable} << 32;
    if (!m.store(area, Bits128{words, x87.last_instruction & pointer_mask}) ||
        !m.store(area + 16, Bits128{x87.last_data & pointer_mask, mxcsr_pair}))
        return Outcome::Fault;
    X87Stack stack{state};
    for (unsigned i = 0; i < 8; ++i) {
        const Float80& value = stack.st(i);
        if (!m.store(area + fx_image::registers + 16 * i,
                     Bits128{value.significand, value.sign_exponent}))
            return Outcome::Fault;
    }
    for (unsigned i = 0; i < visible_vectors(state); ++i) {
        Bits128 value;
        std::memcpy(&value, state.vectors[i].bytes.data(), sizeof value);
        if (!m.store(area + fx_image::vectors + 16 * i, value)) return Outcome::Fault;
    }
    return Outcome::Next;
};

template <FxPointers pointers>
inline constexpr auto fxrstor = [](auto& m, auto memory) __attribute__((always_inline)) {
    if (!fx_area_accessible<decltype(memory)>(m)) return Outcome::Fault;
    CpuState& state = m.state();
    const std::uint64_t area = memory.address(m);
    const unsigned count = static_cast<unsigned>(fx_image::vectors / 16) + visible_vectors(state);
    std::array<Bits128, 26> image;
    for (unsigned i = 0; i < count; ++i) {
        const auto loaded = m.template load<Bits128>(area + 16 * i);
        if (!loaded) return Outcome::Fault;
        image[i] = *loaded;
    }
    const auto new_mxcsr = static_cast<std::uint32_t>(image[1][1]);
    if (new_mxcsr & ~mxcsr::writable) return m.raise(Fault{Vector::GeneralProtection});

    constexpr std::uint64_t pointer_mask = pointers == FxPointers::Offset64 ? ~std::uint64_t{0}
                                                                            : 0xffffffff;
    X87State& x87 = state.x87;
    const std::uint64_t words = image[0][0];
    x87.control = static_cast<std::uint16_t>((words & x87_control::writable) |
                                             x87_control::reserved_one);
    x87.status = static_cast<std::uint16_t>(words >> 16);
    x87.valid = static_cast<std::uint8_t>(words >> 32);
    x87.last_opcode = words >> 48 & 0x7ff;
    x87.last_instruction = image[0][1] & pointer_mask;
    x87.last_data = image[1][0] & pointer_mask;
    X87Stack stack{state};
    for (unsigned i = 0; i < 8; ++i) {
        const Bits128 value = image[2 + i];
        stack.st(i) = {value[0], static_cast<std::uint16_t>(value[1])};
    }
    stack.update_summary();
    set_guest_mxcsr(state, new_mxcsr);
    for (unsigned i = 0; i < visible_vectors(state); ++i)
        std::memcpy(state.vectors[i].bytes.data(), &image[10 + i], sizeof(Bits128));
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
