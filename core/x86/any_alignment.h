// Accesses that are never refused for their alignment: the elements of VMASKMOV and the gathers,
// the registers in FNSAVE's image (SDM 3A 6.15, interrupt 17).
#pragma once

#include "x86/cpu_state.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace backplane::x86 {

// Rarely true: programs hardly ever set AC. What is checked then goes byte by byte, as a byte is
// always aligned.
template <class T, class M>
bool may_be_refused(M& m, std::uint64_t linear) {
    const bool is_natural = (linear & (sizeof(T) - 1)) == 0 && std::has_single_bit(sizeof(T));
    return (m.state().rflags & rflags::ac) && !is_natural;
}

template <class T, class M>
std::optional<T> load_at_any_alignment(M& m, std::uint64_t linear) {
    if (!may_be_refused<T>(m, linear)) [[likely]]
        return m.template load<T>(linear);
    std::array<std::uint8_t, sizeof(T)> bytes;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        const auto byte = m.template load<std::uint8_t>(linear + i);
        if (!byte) return std::nullopt;
        bytes[i] = *byte;
    }
    return std::bit_cast<T>(bytes);
}

// Nothing is stored when a byte cannot be.
template <class M, class T>
bool store_at_any_alignment(M& m, std::uint64_t linear, T value) {
    if (!may_be_refused<T>(m, linear)) [[likely]]
        return m.store(linear, value);
    const auto unchanged = [](std::uint8_t byte) { return byte; };
    for (const std::uint64_t end : {linear, linear + sizeof(T) - 1})
        if (!m.template update_atomically<std::uint8_t>(end, unchanged)) return false;
    const auto bytes = std::bit_cast<std::array<std::uint8_t, sizeof(T)>>(value);
    for (std::size_t i = 0; i < sizeof(T); ++i)
        if (!m.store(linear + i, bytes[i])) return false;
    return true;
}

}  // namespace backplane::x86
