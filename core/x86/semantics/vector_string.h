// PCMPESTRI, PCMPESTRM, PCMPISTRI and PCMPISTRM (SDM 2): SSE4.2's comparisons of strings.
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/string_comparison.h"
#include "x86/vector_operand.h"

namespace backplane::x86::semantics {

enum class StringResult : std::uint8_t { Index, Mask };

// Lengths gives those of both strings: lengths(m, first, second, control).
template <StringResult kind, auto lengths>
inline constexpr auto string_compare =
    sse<[](auto& m, auto first, auto second, auto control_byte) __attribute__((always_inline)) {
        const auto b = second.read(m);
        if (!b) return Outcome::Fault;
        const Bits128 a = *first.read(m);
        const StringControl control{*control_byte.read(m)};
        const auto [first_length, second_length] = lengths(m, a, *b, control);
        const std::uint32_t matches = compare_strings(a, first_length, *b, second_length, control);
        CpuState& state = m.state();
        if constexpr (kind == StringResult::Index) {
            state.gpr[RCX] = match_index(matches, control);
        } else {
            const Bits128 mask = match_mask(matches, control);
            if constexpr (is_vex_operand<decltype(first)>) state.vectors[0] = {};
            std::memcpy(state.vectors[0].bytes.data(), &mask, sizeof mask);
        }
        // ZF and SF: the second and the first string end within the register.
        state.flags.from_rflags(
            (matches ? rflags::cf : 0) | (second_length < control.elements() ? rflags::zf : 0) |
            (first_length < control.elements() ? rflags::sf : 0) | (matches & 1 ? rflags::of : 0));
        return Outcome::Next;
    }>;

struct StringLengths {
    unsigned first, second;
};

inline constexpr auto implicit_lengths = [](auto&, Bits128 a, Bits128 b, StringControl control) {
    return StringLengths{implicit_length(a, control), implicit_length(b, control)};
};

template <class Length>
inline constexpr auto explicit_lengths = [](auto& m, Bits128, Bits128, StringControl control) {
    return StringLengths{explicit_length<Length>(m.state().gpr[RAX], control),
                         explicit_length<Length>(m.state().gpr[RDX], control)};
};

inline constexpr auto pcmpistri = string_compare<StringResult::Index, implicit_lengths>;
inline constexpr auto pcmpistrm = string_compare<StringResult::Mask, implicit_lengths>;
template <class Length>
inline constexpr auto pcmpestri = string_compare<StringResult::Index, explicit_lengths<Length>>;
template <class Length>
inline constexpr auto pcmpestrm = string_compare<StringResult::Mask, explicit_lengths<Length>>;

}  // namespace backplane::x86::semantics
