#include "frame_shape.h"

#include "vga_chip.h"

namespace backplane::display {

namespace {

unsigned bits_of_dots(const VgaChip& chip) {
    if (chip.attribute.has_8_bit_dots()) return 8;
    return chip.graphics.shift_mode() == 1 ? 2 : 4;
}

FrameShape dispi_shape(const VgaChip& chip) {
    const auto& dispi = chip.dispi.registers;
    return {.kind = BACKPLANE_DISPLAY_GRAPHICS,
            .width = dispi[Dispi::xres],
            .height = dispi[Dispi::yres],
            .bits_per_pixel = dispi[Dispi::bpp]};
}

FrameShape vga_shape(const VgaChip& chip) {
    const unsigned dot = chip.sequencer.halves_dot_clock() ? 2 : 1;
    const unsigned character = chip.sequencer.character_dots() * dot;
    FrameShape shape{.kind = BACKPLANE_DISPLAY_GRAPHICS,
                     .width = chip.crtc.columns() * character,
                     .height = chip.crtc.lines()};
    if (!chip.is_text()) {
        shape.bits_per_pixel = bits_of_dots(chip);
        return shape;
    }
    shape.kind = BACKPLANE_DISPLAY_TEXT;
    shape.cell_width = character;
    shape.cell_height = chip.crtc.row_scan_lines() << (chip.crtc.doubles_lines() ? 1 : 0);
    shape.columns = chip.crtc.columns();
    shape.rows = (shape.height + shape.cell_height - 1) / shape.cell_height;
    return shape;
}

}  // namespace

FrameShape frame_shape(const VgaChip& chip) {
    const FrameShape shape = chip.dispi.is_enabled() ? dispi_shape(chip) : vga_shape(chip);
    if (!chip.is_blank()) return shape;
    return {.kind = BACKPLANE_DISPLAY_BLANK, .width = shape.width, .height = shape.height};
}

}  // namespace backplane::display
