#include "raster.h"

#include <algorithm>

namespace backplane::display {

Raster::Raster(const VgaChip& chip, Duration now)
    : chip_{chip}, shape_{frame_shape(chip)}, blink_{chip.timing().beam(now)},
      cursor_{chip.crtc.cursor()}, colors_{chip.dac.colors(chip.dispi.has_8_bit_dac())},
      entries_{chip.attribute.dac_entries()} {}

void Raster::read_row(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                      std::uint32_t* pixels) {
    if (shape_.kind == BACKPLANE_DISPLAY_BLANK)
        std::fill_n(pixels, count, 0);
    else if (chip_.dispi.is_packed())
        read_packed_row(y, x, count, pixels);
    else if (chip_.dispi.is_planar())
        read_dispi_planes(y, x, count, pixels);
    else
        read_vga_row(y, x, count, pixels);
}

Crtc::Line Raster::line(std::uint32_t y) const {
    return chip_.crtc.line(y, !chip_.attribute.pans_upper_part_only());
}

unsigned Raster::seen_columns() const {
    const bool pans = chip_.attribute.panned_dots(chip_.sequencer.character_dots()) != 0;
    return chip_.crtc.columns() + (pans ? 1 : 0);
}

void Raster::read_vga_row(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                          std::uint32_t* pixels) const {
    const Crtc::Line line = this->line(y);
    const unsigned character = chip_.sequencer.character_dots();
    Dots dots;
    for (unsigned column = 0; column < seen_columns(); ++column) {
        std::uint8_t* to = &dots[std::size_t{column} * character];
        if (chip_.is_text()) {
            glyph_dots(line, column, to);
        } else {
            const std::uint16_t counter = chip_.crtc.counter(line.counter, column);
            plane_dots(chip_.memory.planes(chip_.crtc.address(counter, line.row_scan)), to);
            if (character == 9) to[8] = entries_[0];
        }
    }
    const bool pans = !line.is_below_split || !chip_.attribute.pans_upper_part_only();
    const unsigned first = pans ? chip_.attribute.panned_dots(character) : 0;
    const unsigned shift = chip_.sequencer.halves_dot_clock() ? 1 : 0;
    for (std::uint32_t i = 0; i < count; ++i)
        pixels[i] = colors_[dots[first + ((x + i) >> shift)]];
}

// Eight dots from a byte of each plane (IBM VGA manual, Graphics Mode register bits 6-5).
void Raster::plane_dots(std::uint32_t planes, std::uint8_t* dots) const {
    std::array<std::uint8_t, 8> values;
    switch (chip_.dispi.is_planar() ? 0 : chip_.graphics.shift_mode()) {
    case 0:
        for (unsigned dot = 0; dot < 8; ++dot) {
            const std::uint32_t bits = planes >> (7 - dot) & 0x01010101;
            values[dot] = static_cast<std::uint8_t>((bits | bits >> 7 | bits >> 14 | bits >> 21) &
                                                    0x0f);
        }
        break;
    case 1:  // two bits of planes 0 and 2, then of 1 and 3
        for (unsigned dot = 0; dot < 8; ++dot) {
            const std::uint32_t pair = planes >> (dot / 4 * 8) >> (6 - dot % 4 * 2);
            values[dot] = static_cast<std::uint8_t>((pair & 3) | (pair >> 16 & 3) << 2);
        }
        break;
    default:  // four bits of each plane after the other, the higher ones first
        for (unsigned dot = 0; dot < 8; ++dot)
            values[dot] = planes >> (dot / 2 * 8 + (dot % 2 == 0 ? 4 : 0)) & 0x0f;
    }
    if (chip_.attribute.has_8_bit_dots() && !chip_.dispi.is_planar()) {
        for (unsigned dot = 0; dot < 8; dot += 2)
            dots[dot] = dots[dot + 1] = static_cast<std::uint8_t>(values[dot] << 4 |
                                                                  values[dot + 1]);
        return;
    }
    const unsigned blinking = chip_.attribute.blinks() && !blink_.characters_on ? 8 : 0;
    for (unsigned dot = 0; dot < 8; ++dot)
        dots[dot] = entries_[values[dot] ^ blinking];
}

bool Raster::shows_page(std::uint32_t y, std::span<const std::uint8_t> pages) const {
    if (chip_.dispi.is_enabled()) {
        const std::uint32_t first = chip_.dispi.start() + y * chip_.dispi.pitch();
        // One more character or pixel than is seen, for what begins within a byte.
        const std::uint32_t last = first + (shape_.width + 8) * chip_.dispi.memory_bits() / 8;
        const std::size_t end = std::min<std::size_t>(last / video_page + 1, pages.size());
        return std::any_of(pages.begin() + first / video_page,
                           pages.begin() + static_cast<std::ptrdiff_t>(end),
                           [](std::uint8_t written) { return written != 0; });
    }
    const Crtc::Line line = this->line(y);
    for (unsigned column = 0; column < seen_columns(); ++column) {
        const std::uint32_t offset = chip_.crtc.address(chip_.crtc.counter(line.counter, column),
                                                        line.row_scan);
        if (pages[(offset * 4 & (chip_.memory.size() - 1)) / video_page] != 0) return true;
    }
    return false;
}

}  // namespace backplane::display
