// A set of interrupt vectors: the 256 bits of an IRR, ISR or TMR.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace backplane::chipset {

struct VectorSet {
    std::array<std::uint32_t, 8> words{};

    bool contains(std::uint8_t vector) const {
        return (words[vector / 32] >> vector % 32 & 1) != 0;
    }
    void insert(std::uint8_t vector) { words[vector / 32] |= std::uint32_t{1} << vector % 32; }
    void erase(std::uint8_t vector) { words[vector / 32] &= ~(std::uint32_t{1} << vector % 32); }

    // The highest vector, or -1.
    int highest() const {
        for (int word = 7; word >= 0; --word) {
            const std::uint32_t bits = words[static_cast<unsigned>(word)];
            if (bits != 0) return word * 32 + 31 - std::countl_zero(bits);
        }
        return -1;
    }
};

}  // namespace backplane::chipset
