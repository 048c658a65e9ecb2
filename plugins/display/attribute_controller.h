// The VGA's attribute controller, ports 0x3C0 and 0x3C1: from the four bits of a dot to the entry
// of the DAC, blinking and panning.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

struct AttributeController {
    enum Register : std::uint8_t {
        palette = 0x00,
        mode_control = 0x10,
        overscan,
        color_plane_enable,
        pixel_panning,
        color_select,
        register_count
    };

    std::uint8_t address = 0;  // bits 4-0: the register; bit 5: the palette is the display's
    bool expects_data = false;
    std::array<std::uint8_t, register_count> registers{};

    [[nodiscard]] std::uint8_t read() const {
        return index() < register_count ? registers[index()] : 0;
    }
    // Address and data by turns. Whether anything shown has changed.
    bool write(std::uint8_t value);

    [[nodiscard]] unsigned index() const { return address & 0x1f; }
    // While the CPU has the palette, the screen shows nothing.
    [[nodiscard]] bool shows() const { return (address & 0x20) != 0; }
    [[nodiscard]] bool blinks() const { return (registers[mode_control] & 0x08) != 0; }
    // Characters 0xC0 to 0xDF go on into their ninth column.
    [[nodiscard]] bool joins_line_graphics() const { return (registers[mode_control] & 0x04) != 0; }
    // The part below the line compare does not pan.
    [[nodiscard]] bool pans_upper_part_only() const {
        return (registers[mode_control] & 0x20) != 0;
    }
    [[nodiscard]] bool has_8_bit_dots() const { return (registers[mode_control] & 0x40) != 0; }
    // Dots that the picture is moved to the left.
    [[nodiscard]] unsigned panned_dots(unsigned character_dots) const;
    // The DAC's entry for each of the 16 values of a dot.
    [[nodiscard]] std::array<std::uint8_t, 16> dac_entries() const;
};

}  // namespace backplane::display
