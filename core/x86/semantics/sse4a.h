// AMD's bit field instructions, EXTRQ and INSERTQ (APM 4), on the low half of a register.
#pragma once

#include "x86/fp_availability.h"
#include "x86/machine.h"
#include "x86/vector_operand.h"

#include <type_traits>

namespace backplane::x86::semantics {

// Length and position of a field, six bits each and a byte apart; length 0 means 64. The manual
// leaves the upper half undefined, and what of the field lies beyond bit 63: processors clear the
// half and drop those bits.
struct BitField {
    unsigned length, position;

    constexpr explicit BitField(std::uint64_t bits)
        : length{static_cast<unsigned>(bits & 63)},
          position{static_cast<unsigned>(bits >> 8 & 63)} {}
    constexpr std::uint64_t mask() const {
        return length ? (std::uint64_t{1} << length) - 1 : ~std::uint64_t{0};
    }
};

// The field as an immediate, or in the low half of a register.
inline constexpr auto extrq = sse<[](auto& m, auto dst, auto field) __attribute__((always_inline)) {
    BitField wanted{0};
    if constexpr (std::is_integral_v<typename decltype(field)::Value>)
        wanted = BitField{*field.read(m)};
    else
        wanted = BitField{(*field.read(m))[0]};
    dst.write(m, Bits128{(*dst.read(m))[0] >> wanted.position & wanted.mask(), 0});
    return Outcome::Next;
}>;

// The field as an immediate, or in the upper half of the source.
inline constexpr auto insertq =
    sse<[](auto& m, auto dst, auto src, auto... field) __attribute__((always_inline)) {
        const Bits128 value = *src.read(m);
        BitField place{value[1]};
        ((place = BitField{*field.read(m)}), ...);
        const std::uint64_t mask = place.mask() << place.position;
        const std::uint64_t rest = (*dst.read(m))[0] & ~mask;
        dst.write(m, Bits128{rest | (value[0] << place.position & mask), 0});
        return Outcome::Next;
    }>;

}  // namespace backplane::x86::semantics
