// The VGA's digital-to-analog converter, ports 0x3C6 to 0x3C9: 256 colors of 6 or 8 bits for each
// of red, green and blue.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

struct Dac {
    std::uint8_t pel_mask = 0xff;
    std::uint8_t read_index = 0, write_index = 0;
    std::uint8_t component = 0;  // of the entry, that comes next: 0 red, 1 green, 2 blue
    bool is_reading = false;     // a read index was given last
    std::array<std::uint8_t, 3> incoming{};  // an entry changes all at once
    std::array<std::uint8_t, 768> entries{};

    // Port 0x3C7: bits 1 and 0 are set after a read index, clear after a write index.
    [[nodiscard]] std::uint8_t state() const { return is_reading ? 0x03 : 0x00; }

    void start_reading(std::uint8_t index) {
        read_index = index;
        component = 0;
        is_reading = true;
    }

    void start_writing(std::uint8_t index) {
        write_index = index;
        component = 0;
        is_reading = false;
    }

    std::uint8_t read() {
        const std::uint8_t value = entries[read_index * 3u + component];
        component = static_cast<std::uint8_t>((component + 1) % 3);
        if (component == 0) ++read_index;
        return value;
    }

    // Whether an entry was completed.
    bool write(std::uint8_t value, bool has_8_bits) {
        incoming[component] = has_8_bits ? value : value & 0x3f;
        component = static_cast<std::uint8_t>((component + 1) % 3);
        if (component != 0) return false;
        for (unsigned i = 0; i < 3; ++i)
            entries[write_index * 3u + i] = incoming[i];
        ++write_index;
        return true;
    }

    // 0x00RRGGBB for each value of a pixel, after the mask.
    [[nodiscard]] std::array<std::uint32_t, 256> colors(bool has_8_bits) const {
        std::array<std::uint32_t, 256> colors{};
        for (unsigned pixel = 0; pixel < 256; ++pixel) {
            const std::uint8_t* entry = &entries[(pixel & pel_mask) * 3];
            for (unsigned i = 0; i < 3; ++i) {
                // Six bits fill eight so that the brightest stays the brightest.
                const unsigned six = entry[i] & 0x3f;
                colors[pixel] = colors[pixel] << 8 | (has_8_bits ? entry[i] : six << 2 | six >> 4);
            }
        }
        return colors;
    }
};

}  // namespace backplane::display
