#include "crtc.h"

namespace backplane::display {

bool Crtc::write(std::uint8_t value) {
    if (index >= register_count) return false;
    // Bit 7 of the vertical retrace end protects registers 0 to 7, but for the line compare's bit 8
    // in the overflow register.
    const bool is_protected = (registers[vertical_retrace_end] & 0x80) != 0;
    if (is_protected && index <= overflow) {
        if (index < overflow) return false;
        value = static_cast<std::uint8_t>((registers[overflow] & ~0x10) | (value & 0x10));
    }
    const bool changed = registers[index] != value;
    registers[index] = value;
    return changed;
}

unsigned Crtc::lines() const {
    const unsigned end = registers[vertical_display_end] | bit(overflow, 1) << 8 |
                         bit(overflow, 6) << 9;
    return (end + 1) * vertical_unit();
}

unsigned Crtc::total_lines() const {
    const unsigned total = registers[vertical_total] | bit(overflow, 0) << 8 |
                           bit(overflow, 5) << 9;
    return (total + 2) * vertical_unit();
}

unsigned Crtc::retrace_start() const {
    const unsigned start = registers[vertical_retrace_start] | bit(overflow, 2) << 8 |
                           bit(overflow, 7) << 9;
    return start * vertical_unit();
}

// The end is compared with the four low bits of the line.
unsigned Crtc::retrace_lines() const {
    const unsigned lines = (registers[vertical_retrace_end] - registers[vertical_retrace_start]) &
                           0x0fu;
    return (lines == 0 ? 16 : lines) * vertical_unit();
}

Crtc::Line Crtc::line(unsigned y, bool pans_below) const {
    const unsigned height = row_scan_lines();
    const unsigned compare = (registers[line_compare] | bit(overflow, 4) << 8 |
                              bit(maximum_scan_line, 6) << 9) *
                             vertical_unit();
    const unsigned repeat = doubles_lines() ? 1 : 0;
    const unsigned byte_panning = registers[preset_row_scan] >> 5 & 3;
    unsigned row = 0, row_scan = 0, start = 0;
    const bool is_below = y > compare;
    if (is_below) {
        const unsigned scan = (y - compare - 1) >> repeat;
        row = scan / height;
        row_scan = scan % height;
        start = pans_below ? byte_panning : 0;
    } else {
        // The row scan counter has five bits and ends a row where it equals the last line, so a
        // preset beyond that goes round first.
        const unsigned preset = registers[preset_row_scan] & 0x1f;
        const unsigned first_row = preset < height ? height - preset : 32 - preset + height;
        const unsigned scan = y >> repeat;
        if (scan < first_row) {
            row_scan = (preset + scan) & 0x1f;
        } else {
            row = 1 + (scan - first_row) / height;
            row_scan = (scan - first_row) % height;
        }
        start = (registers[start_address_high] << 8 | registers[start_address_low]) + byte_panning;
    }
    return {static_cast<std::uint16_t>(start + row * registers[offset] * 2),
            static_cast<std::uint8_t>(row_scan), is_below};
}

std::uint16_t Crtc::counter(std::uint16_t start, unsigned column) const {
    const unsigned shift = bit(underline_location, 5) != 0 ? 2 : bit(mode_control, 3);
    return static_cast<std::uint16_t>(start + (column >> shift));
}

// IBM VGA manual, CRT Mode Control register: byte, word and doubleword addresses, and the two bits
// that the row scan counter may replace for the CGA's and Hercules' interleaved lines.
std::uint32_t Crtc::address(std::uint16_t counter, unsigned row_scan) const {
    std::uint32_t address = counter;
    if (bit(underline_location, 6) != 0)
        address = counter << 2 | (counter >> 12 & 3);
    else if (bit(mode_control, 6) == 0)
        address = counter << 1 | (counter >> (bit(mode_control, 5) != 0 ? 15 : 13) & 1);
    if (bit(mode_control, 0) == 0) address = (address & ~0x2000u) | (row_scan & 1) << 13;
    if (bit(mode_control, 1) == 0) address = (address & ~0x4000u) | (row_scan >> 1 & 1) << 14;
    return address & 0xffff;
}

// A cursor that starts below its end is not shown (unlike the EGA's, which is cut in two).
Crtc::Cursor Crtc::cursor() const {
    const unsigned skew = registers[cursor_end] >> 5 & 3;
    const unsigned location = registers[cursor_location_high] << 8 | registers[cursor_location_low];
    const std::uint8_t first = registers[cursor_start] & 0x1f, last = registers[cursor_end] & 0x1f;
    return {static_cast<std::uint16_t>(location + skew), first, last,
            bit(cursor_start, 5) == 0 && first <= last && first < row_scan_lines()};
}

}  // namespace backplane::display
