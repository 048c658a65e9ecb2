// The VGA's CRT controller, ports 0x3D4 and 0x3D5 (0x3B4 and 0x3B5): the size of the picture, and
// from which address each part of it comes.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

struct Crtc {
    enum Register : std::uint8_t {
        horizontal_total = 0x00,
        horizontal_display_end,
        start_horizontal_blanking,
        end_horizontal_blanking,
        start_horizontal_retrace,
        end_horizontal_retrace,
        vertical_total,
        overflow,
        preset_row_scan,
        maximum_scan_line,
        cursor_start,
        cursor_end,
        start_address_high,
        start_address_low,
        cursor_location_high,
        cursor_location_low,
        vertical_retrace_start,
        vertical_retrace_end,
        vertical_display_end,
        offset,
        underline_location,
        start_vertical_blanking,
        end_vertical_blanking,
        mode_control,
        line_compare,
        register_count
    };

    std::uint8_t index = 0;
    std::array<std::uint8_t, register_count> registers{};

    [[nodiscard]] std::uint8_t read() const {
        return index < register_count ? registers[index] : 0;
    }
    // Whether the register has changed.
    bool write(std::uint8_t value);

    // ---- The frame, in characters and scan lines ----
    [[nodiscard]] bool is_running() const { return (registers[mode_control] & 0x80) != 0; }
    [[nodiscard]] unsigned columns() const { return registers[horizontal_display_end] + 1u; }
    [[nodiscard]] unsigned total_columns() const { return registers[horizontal_total] + 5u; }
    [[nodiscard]] unsigned lines() const;
    [[nodiscard]] unsigned total_lines() const;
    [[nodiscard]] unsigned retrace_start() const;
    [[nodiscard]] unsigned retrace_lines() const;

    // ---- Rows of characters ----
    [[nodiscard]] unsigned row_scan_lines() const {
        return (registers[maximum_scan_line] & 0x1fu) + 1;
    }
    [[nodiscard]] unsigned underline_row_scan() const {
        return registers[underline_location] & 0x1fu;
    }
    [[nodiscard]] bool doubles_lines() const { return (registers[maximum_scan_line] & 0x80) != 0; }

    struct Line {
        std::uint16_t counter;  // address counter at the first character
        std::uint8_t row_scan;  // line within the row
        bool is_below_split;
    };
    // `pans`: the part below the line compare pans with the one above.
    [[nodiscard]] Line line(unsigned y, bool pans_below) const;
    // The address counter at a character of a line that begins with `start`.
    [[nodiscard]] std::uint16_t counter(std::uint16_t start, unsigned column) const;
    // The offset in the planes for an address counter.
    [[nodiscard]] std::uint32_t address(std::uint16_t counter, unsigned row_scan) const;

    struct Cursor {
        std::uint16_t counter;  // of its character
        std::uint8_t first_line, last_line;
        bool is_visible;
        bool operator==(const Cursor&) const = default;
    };
    [[nodiscard]] Cursor cursor() const;

private:
    [[nodiscard]] unsigned bit(Register reg, unsigned number) const {
        return registers[reg] >> number & 1u;
    }
    // Mode control bit 2: the vertical counter counts every second line.
    [[nodiscard]] unsigned vertical_unit() const { return 1u << bit(mode_control, 2); }
};

}  // namespace backplane::display
