// A FIFO of a 16550: up to sixteen characters, each with its error bits.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::chipset {

class Uart16550Fifo {
public:
    static constexpr unsigned capacity = 16;

    void push(std::uint8_t value, std::uint8_t errors = 0) {
        const unsigned at = (first + count++) % capacity;
        values[at] = value;
        error_bits[at] = errors;
    }

    std::uint8_t pop() {
        const std::uint8_t value = values[first];
        error_bits[first] = 0;
        first = static_cast<std::uint8_t>((first + 1) % capacity);
        --count;
        return value;
    }

    // The errors of the oldest character; taking them leaves the character.
    std::uint8_t front_errors() const { return count == 0 ? 0 : error_bits[first]; }
    void clear_front_errors() { error_bits[first] = 0; }

    bool has_errors() const {
        for (unsigned index = 0; index < count; ++index)
            if (error_bits[(first + index) % capacity] != 0) return true;
        return false;
    }

    void clear() { *this = {}; }

    std::array<std::uint8_t, capacity> values{};
    std::array<std::uint8_t, capacity> error_bits{};
    std::uint8_t first = 0, count = 0;
};

}  // namespace backplane::chipset
