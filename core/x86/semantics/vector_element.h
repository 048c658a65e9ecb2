// Single lanes in and out of vector registers: PEXTR and PINSR of every size, EXTRACTPS, INSERTPS
// (SDM 2).
#pragma once

#include "x86/lane_operations_shuffle.h"
#include "x86/semantics/lanewise.h"

namespace backplane::x86::semantics {

// One lane of src, zero-extended where dst is wider.
template <class T>
inline constexpr auto extract_element =
    [](auto& m, auto dst, auto src, auto position) __attribute__((always_inline)) {
        constexpr auto extract = [](auto& m, auto src, auto dst,
                                    auto position) __attribute__((always_inline)) {
            using Bits = typename decltype(src)::Value;
            const auto elements = to_lanes<T>(*src.read(m));
            const T element = elements[*position.read(m) % lane_count<T, Bits>];
            return dst.write(m, element) ? Outcome::Next : Outcome::Fault;
        };
        return vector<extract>(m, src, dst, position);
    };

template <class T>
inline constexpr auto insert_element =
    vector<[](auto& m, auto dst, auto src, auto position) __attribute__((always_inline)) {
        using Bits = typename decltype(dst)::Value;
        const auto element = src.read(m);
        if (!element) return Outcome::Fault;
        auto elements = to_lanes<T>(*dst.read(m));
        elements[*position.read(m) % lane_count<T, Bits>] = static_cast<T>(*element);
        dst.write(m, from_lanes<Bits>(elements));
        return Outcome::Next;
    }>;

// Bits 6 and 7 of the control byte choose a lane of a source register (memory is one lane), bits 4
// and 5 the lane it goes to; then bits 0 to 3 clear lanes.
inline constexpr auto insertps =
    sse<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const std::uint8_t by = *control.read(m);
        auto singles = to_lanes<std::uint32_t>(*dst.read(m));
        if constexpr (decltype(src)::is_memory)
            singles[by >> 4 & 3] = *b;
        else
            singles[by >> 4 & 3] = to_lanes<std::uint32_t>(*b)[by >> 6];
        dst.write(m, from_lanes<Bits128>(lanes::blend(singles, decltype(singles){}, by)));
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
