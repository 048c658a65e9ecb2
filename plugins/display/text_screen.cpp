#include "text_screen.h"

#include "raster.h"

#include <algorithm>

namespace backplane::display {

namespace {

// Columns from the start of a line to the cursor; all there are when it is elsewhere.
unsigned cursor_column(const VgaChip& chip, const Crtc::Line& line, std::uint16_t cursor) {
    unsigned column = 0;
    while (column < chip.crtc.columns() && chip.crtc.counter(line.counter, column) != cursor)
        ++column;
    return column;
}

}  // namespace

backplane_display_text text_screen(const VgaChip& chip, const Raster& raster) {
    const FrameShape& shape = raster.shape();
    const Crtc::Cursor cursor = chip.crtc.cursor();
    backplane_display_text text{};
    text.struct_size = sizeof text;
    text.columns = shape.columns;
    text.rows = shape.rows;
    text.cursor_column = text.cursor_row = -1;
    text.cursor_first_line = cursor.first_line;
    text.cursor_last_line = cursor.last_line;
    for (std::uint32_t row = 0; row < shape.rows && text.cursor_row < 0; ++row) {
        const unsigned column = cursor_column(chip, raster.line(row * shape.cell_height),
                                              cursor.counter);
        if (column == shape.columns) continue;
        text.cursor_column = static_cast<std::int32_t>(column);
        text.cursor_row = static_cast<std::int32_t>(row);
        text.cursor_visible = cursor.is_visible ? 1 : 0;
    }
    for (unsigned color = 0; color < 16; ++color)
        text.palette[color] = raster.palette(color);
    return text;
}

void read_cells(const VgaChip& chip, const Raster& raster, backplane_display_cell* cells,
                std::uint32_t capacity) {
    const FrameShape& shape = raster.shape();
    const bool has_two_fonts = chip.sequencer.font_a() != chip.sequencer.font_b();
    const unsigned underline = chip.crtc.underline_row_scan();
    const std::uint32_t count = std::min(capacity, shape.columns * shape.rows);
    Crtc::Line line{};
    for (std::uint32_t at = 0; at < count; ++at) {
        const std::uint32_t row = at / shape.columns, column = at % shape.columns;
        if (column == 0) line = raster.line(row * shape.cell_height);
        const auto [counter, character, attribute] = raster.cell(line, column);
        const bool is_second = has_two_fonts && (attribute & 0x08) != 0;
        const bool blinks = chip.attribute.blinks();
        cells[at] = {static_cast<std::uint16_t>(character | (is_second ? 0x100 : 0)),
                     static_cast<std::uint8_t>(attribute & 0x0f),
                     static_cast<std::uint8_t>(attribute >> 4 & (blinks ? 0x07 : 0x0f)), 0};
        if (blinks && (attribute & 0x80) != 0) cells[at].flags |= BACKPLANE_DISPLAY_CELL_BLINKS;
        if ((attribute & 0x07) == 1 && underline < chip.crtc.row_scan_lines())
            cells[at].flags |= BACKPLANE_DISPLAY_CELL_UNDERLINED;
    }
}

}  // namespace backplane::display
