// The 512 bytes of FXSAVE, which are also the legacy region of the XSAVE area (SDM
// 1 10.5.1, 13.4.1), by their parts.
#pragma once

#include "x86/guest_floating_point.h"
#include "x86/vector.h"
#include "x86/x87_environment.h"

#include <array>
#include <cstring>
#include <optional>

namespace backplane::x86 {

// How the last-instruction and last-data pointers are kept: as 64-bit offsets under REX.W, else 32
// bits and a selector.
enum class FxPointers : std::uint8_t { Offset32, Offset64 };

namespace fx_image {

constexpr std::uint64_t data_pointer = 16, mxcsr = 24, registers = 32, vectors = 160;

// Outside 64-bit mode only the lower eight vector registers exist in an image.
inline unsigned visible_vectors(const CpuState& state) { return state.code64() ? 16 : 8; }

// The stores give false with a fault raised, and may have written a part.

template <FxPointers pointers, class M>
bool store_x87(M& m, std::uint64_t area) {
    CpuState& state = m.state();
    const X87State& x87 = state.x87;
    const std::uint64_t words = x87.control | std::uint64_t{x87.status} << 16 |
                                std::uint64_t{x87.valid} << 32 |
                                std::uint64_t{x87.last_opcode} << 48;
    const X87Selectors selectors = x87_selectors(m);
    const auto pointer = [](std::uint64_t offset, std::uint64_t selector) {
        return pointers == FxPointers::Offset64 ? offset : (offset & 0xffffffff) | selector << 32;
    };
    if (!m.store(area, Bits128{words, pointer(x87.last_instruction, selectors.instruction)}) ||
        !m.store(area + data_pointer, pointer(x87.last_data, selectors.data)))
        return false;
    X87Stack stack{state};
    for (unsigned i = 0; i < 8; ++i) {
        const Float80& value = stack.st(i);
        if (!m.store(area + registers + 16 * i, Bits128{value.significand, value.sign_exponent}))
            return false;
    }
    return true;
}

template <class M>
bool store_mxcsr(M& m, std::uint64_t area) {
    return m.store(area + mxcsr,
                   guest_mxcsr(m.state()) | std::uint64_t{x86::mxcsr::writable} << 32);
}

template <class M>
bool store_vectors(M& m, std::uint64_t area) {
    CpuState& state = m.state();
    for (unsigned i = 0; i < visible_vectors(state); ++i) {
        Bits128 value;
        std::memcpy(&value, state.vectors[i].bytes.data(), sizeof value);
        if (!m.store(area + vectors + 16 * i, value)) return false;
    }
    return true;
}

// What was loaded, so that nothing changes before everything has been read.
using X87Image = std::array<Bits128, 10>;
using VectorImage = std::array<Bits128, 16>;

// `count` pieces of sixteen bytes; false with a fault raised.
template <class M, std::size_t size>
bool load(M& m, std::uint64_t place, std::array<Bits128, size>& image, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        const auto piece = m.template load<Bits128>(place + 16 * i);
        if (!piece) return false;
        image[i] = *piece;
    }
    return true;
}

template <FxPointers pointers>
void set_x87(CpuState& state, const X87Image& image) {
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
    const auto selector = [](std::uint64_t pointer) {
        return pointers == FxPointers::Offset64 ? std::uint16_t{0}
                                                : static_cast<std::uint16_t>(pointer >> 32);
    };
    x87.last_instruction_selector = selector(image[0][1]);
    x87.last_data_selector = selector(image[1][0]);
    X87Stack stack{state};
    for (unsigned i = 0; i < 8; ++i) {
        const Bits128 value = image[2 + i];
        stack.st(i) = {value[0], static_cast<std::uint16_t>(value[1])};
    }
    stack.update_summary();
}

inline void set_vectors(CpuState& state, const VectorImage& image) {
    for (unsigned i = 0; i < visible_vectors(state); ++i)
        std::memcpy(state.vectors[i].bytes.data(), &image[i], sizeof image[i]);
}

}  // namespace fx_image
}  // namespace backplane::x86
