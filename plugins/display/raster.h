// One look at the screen: makes pixels out of the chip's state and memory at one instant. Whatever
// the registers say, it reads inside the memory and gives a frame of frame_shape's size.
#pragma once

#include "frame_shape.h"
#include "vga_chip.h"

#include <array>
#include <cstdint>
#include <span>

namespace backplane::display {

class Raster {
public:
    Raster(const VgaChip& chip, Duration now);

    [[nodiscard]] const FrameShape& shape() const { return shape_; }
    [[nodiscard]] BlinkPhase blink() const { return blink_; }

    // Pixels of a row from x on; they lie inside the frame.
    void read_row(std::uint32_t y, std::uint32_t x, std::uint32_t count, std::uint32_t* pixels);

    // Whether one of these pages of memory holds something of the row.
    [[nodiscard]] bool shows_page(std::uint32_t y, std::span<const std::uint8_t> pages) const;

    // Characters of a row of the VGA; panning brings a part of one more into sight.
    [[nodiscard]] unsigned seen_columns() const;

    // ---- Text ----
    struct Cell {
        std::uint16_t counter;
        std::uint8_t character, attribute;
    };
    [[nodiscard]] Cell cell(const Crtc::Line& line, unsigned column) const;
    [[nodiscard]] Crtc::Line line(std::uint32_t y) const;
    [[nodiscard]] std::uint32_t palette(unsigned dot) const { return colors_[entries_[dot & 15]]; }

private:
    // A row as values for the DAC, one for each dot that is fetched.
    static constexpr unsigned most_characters = 256 + 1;
    using Dots = std::array<std::uint8_t, most_characters * 9>;

    void glyph_dots(const Crtc::Line& line, unsigned column, std::uint8_t* dots) const;
    void plane_dots(std::uint32_t planes, std::uint8_t* dots) const;

    void read_vga_row(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                      std::uint32_t* pixels) const;
    void read_dispi_planes(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                           std::uint32_t* pixels) const;
    void read_packed_row(std::uint32_t y, std::uint32_t x, std::uint32_t count,
                         std::uint32_t* pixels) const;

    const VgaChip& chip_;
    FrameShape shape_;
    BlinkPhase blink_;
    Crtc::Cursor cursor_;
    std::array<std::uint32_t, 256> colors_;  // of the DAC
    std::array<std::uint8_t, 16> entries_;   // of the DAC, for each dot of four bits
};

}  // namespace backplane::display
