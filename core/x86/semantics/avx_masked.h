// VMASKMOVPS and its relatives, and the gathers of AVX2 (SDM 2).
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/vector_elements.h"
#include "x86/vex_operand.h"

#include <algorithm>
#include <array>
#include <bit>
#include <type_traits>

namespace backplane::x86::semantics {

// The sign of a mask element selects.
template <class T>
constexpr bool is_selected(T mask) {
    return static_cast<std::make_signed_t<T>>(mask) < 0;
}

// Elements that are not selected become zero.
template <class T>
inline constexpr auto masked_load =
    avx<[](auto& m, auto dst, auto mask, auto memory) __attribute__((always_inline)) {
        using Bits = typename decltype(dst)::Value;
        using Elements = std::array<T, sizeof(Bits) / sizeof(T)>;
        const auto masks = std::bit_cast<Elements>(*mask.read(m));
        const std::uint64_t start = memory.start(m);
        Elements result{};
        for (unsigned i = 0; i < result.size(); ++i) {
            if (!is_selected(masks[i])) continue;
            const auto value = memory.template load<T>(m, start + i * sizeof(T));
            if (!value) return Outcome::Fault;
            result[i] = *value;
        }
        dst.write(m, std::bit_cast<Bits>(result));
        return Outcome::Next;
    }>;

// Every selected element is found writable before the first is stored, so that a fault leaves
// memory as it was. The elements lie in at most two pages: their first and last bytes stand for
// all.
template <class T>
inline constexpr auto masked_store_elements =
    avx<[](auto& m, auto src, auto mask, auto memory) __attribute__((always_inline)) {
        using Bits = typename decltype(src)::Value;
        constexpr unsigned count = sizeof(Bits) / sizeof(T);
        using Elements = std::array<T, count>;
        const auto masks = std::bit_cast<Elements>(*mask.read(m));
        const auto values = std::bit_cast<Elements>(*src.read(m));
        const std::uint64_t start = memory.start(m);
        std::array<std::uint64_t, count> places{};
        std::optional<std::uint64_t> first;
        std::uint64_t last = 0;
        for (unsigned i = 0; i < count; ++i) {
            if (!is_selected(masks[i])) continue;
            const auto place = memory.linear(m, start + i * sizeof(T), sizeof(T),
                                             SegmentAccess::Write);
            if (!place) return Outcome::Fault;
            places[i] = *place;
            if (!first) first = *place;
            last = *place + sizeof(T) - 1;
        }
        if (!first) return Outcome::Next;
        if ((*first ^ last) >> 12 != 0) {
            const auto unchanged = [](std::uint8_t value) { return value; };
            for (const std::uint64_t place : {*first, last})
                if (!m.template update_atomically<std::uint8_t>(place, unchanged))
                    return Outcome::Fault;
        }
        for (unsigned i = 0; i < count; ++i)
            if (is_selected(masks[i]) && !store_at_any_alignment(m, places[i], values[i]))
                return Outcome::Fault;
        return Outcome::Next;
    }>;

// An element whose load faults leaves those before it done: their results in dst, their mask
// elements zero, and the instruction goes on from there when it is executed again. T is the data's
// element, Index the index register's; the narrower of both registers decides how many there are.
template <class T, class Index>
inline constexpr auto gather = avx<[](auto& m, auto dst, auto mask, auto indices, auto memory) {
    using Bits = typename decltype(dst)::Value;
    using Indices = typename decltype(indices)::Value;
    using Elements = std::array<T, sizeof(Bits) / sizeof(T)>;
    constexpr unsigned count = std::min(sizeof(Bits) / sizeof(T), sizeof(Indices) / sizeof(Index));
    const auto index = std::bit_cast<std::array<Index, sizeof(Indices) / sizeof(Index)>>(
        *indices.read(m));
    auto masks = std::bit_cast<Elements>(*mask.read(m));
    auto values = std::bit_cast<Elements>(*dst.read(m));
    for (unsigned i = 0; i < count; ++i) {
        if (!is_selected(masks[i])) {
            masks[i] = 0;
            continue;
        }
        const auto wide_index = static_cast<std::uint64_t>(static_cast<std::int64_t>(index[i]));
        const auto value = memory.template load<T>(m, memory.place(m, wide_index));
        if (!value) {
            mask.write_part(m, std::bit_cast<Bits>(masks));
            dst.write_part(m, std::bit_cast<Bits>(values));
            return Outcome::Fault;
        }
        values[i] = *value;
        masks[i] = 0;
    }
    // Elements beyond the last index are not part of the result.
    for (unsigned i = count; i < values.size(); ++i)
        values[i] = 0;
    dst.write(m, std::bit_cast<Bits>(values));
    mask.write(m, Bits{});
    return Outcome::Next;
}>;

}  // namespace backplane::x86::semantics
