// Characters: code and attribute in planes 0 and 1, glyphs in plane 2.
#include "raster.h"

namespace backplane::display {

Raster::Cell Raster::cell(const Crtc::Line& line, unsigned column) const {
    const std::uint16_t counter = chip_.crtc.counter(line.counter, column);
    const std::uint32_t planes = chip_.memory.planes(chip_.crtc.address(counter, line.row_scan));
    return {counter, static_cast<std::uint8_t>(planes), static_cast<std::uint8_t>(planes >> 8)};
}

void Raster::glyph_dots(const Crtc::Line& line, unsigned column, std::uint8_t* dots) const {
    const Cell cell = this->cell(line, column);
    const std::uint32_t font = (cell.attribute & 0x08) != 0 ? chip_.sequencer.font_a()
                                                            : chip_.sequencer.font_b();
    const std::uint32_t glyph = chip_.memory.planes(font + cell.character * 32u + line.row_scan);
    unsigned bits = glyph >> 16 & 0xff;
    bool ninth = chip_.attribute.joins_line_graphics() && (cell.character & 0xe0) == 0xc0 &&
                 (bits & 1) != 0;

    const bool blinks = chip_.attribute.blinks();
    if (blinks && (cell.attribute & 0x80) != 0 && !blink_.characters_on) {
        bits = 0;
        ninth = false;
    }
    const bool is_underlined = (cell.attribute & 0x07) == 1 &&
                               line.row_scan == chip_.crtc.underline_row_scan();
    const bool is_cursor = cursor_.is_visible && blink_.cursor_on &&
                           cell.counter == cursor_.counter && line.row_scan >= cursor_.first_line &&
                           line.row_scan <= cursor_.last_line;
    if (is_underlined || is_cursor) {
        bits = 0xff;
        ninth = true;
    }

    const std::uint8_t foreground = entries_[cell.attribute & 0x0f];
    const std::uint8_t background = entries_[cell.attribute >> 4 & (blinks ? 0x07 : 0x0f)];
    for (unsigned dot = 0; dot < 8; ++dot)
        dots[dot] = (bits >> (7 - dot) & 1) != 0 ? foreground : background;
    if (chip_.sequencer.character_dots() == 9) dots[8] = ninth ? foreground : background;
}

}  // namespace backplane::display
