// The VGA's graphics controller, ports 0x3CE and 0x3CF: what happens to a byte between the CPU and
// the four planes.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

struct GraphicsController {
    enum Register : std::uint8_t {
        set_reset,
        enable_set_reset,
        color_compare,
        data_rotate,
        read_map_select,
        graphics_mode,
        miscellaneous,
        color_dont_care,
        bit_mask,
        register_count
    };

    std::uint8_t index = 0;
    std::array<std::uint8_t, register_count> registers{};
    // What the last read found, plane 0 in the lowest byte.
    std::uint32_t latches = 0;

    [[nodiscard]] std::uint8_t read() const {
        return index < register_count ? registers[index] : 0;
    }
    // Whether the register has changed.
    bool write(std::uint8_t value);

    // What the planes become when the CPU writes this byte to them.
    [[nodiscard]] std::uint32_t written(std::uint8_t value) const;
    // What the CPU reads of the latches: one plane, or which pixels have the color to compare.
    [[nodiscard]] std::uint8_t result(unsigned plane) const;

    [[nodiscard]] bool reads_odd_even() const { return (registers[graphics_mode] & 0x10) != 0; }
    // How dots are taken out of the planes: 0 a bit of each, 1 pairs of bits, 2 and 3 nibbles.
    [[nodiscard]] unsigned shift_mode() const { return registers[graphics_mode] >> 5 & 3; }
    [[nodiscard]] bool is_graphics() const { return (registers[miscellaneous] & 0x01) != 0; }
    // The lowest address bit selects planes and is replaced in the offset.
    [[nodiscard]] bool chains_odd_even() const { return (registers[miscellaneous] & 0x02) != 0; }
    [[nodiscard]] unsigned memory_map() const { return registers[miscellaneous] >> 2 & 3; }
};

// A byte of ones for each plane whose bit is set.
constexpr std::uint32_t spread(unsigned planes) {
    return ((planes & 1) * 0xffu) | (planes >> 1 & 1) * 0xff00u | (planes >> 2 & 1) * 0xff0000u |
           (planes >> 3 & 1) * 0xff000000u;
}

// The same byte for each plane.
constexpr std::uint32_t to_each(std::uint8_t value) { return value * 0x01010101u; }

}  // namespace backplane::display
