#include "runtime/screenshot.h"

#include "runtime/code_page_437.h"

namespace backplane::runtime {

namespace {

std::string row_text(const backplane_display_cell* cells, std::uint32_t columns) {
    std::string row;
    std::size_t end = 0;  // of the last character that is no blank
    for (std::uint32_t column = 0; column < columns; ++column) {
        const std::string_view character = utf8_of_glyph(cells[column].character);
        row += character;
        if (character != " ") end = row.size();
    }
    row.resize(end);
    return row;
}

}  // namespace

Picture screenshot(const DisplayConnection& display) {
    backplane_display_mode mode{};
    mode.struct_size = sizeof mode;
    display.call<&backplane_display::mode>(&mode);
    Picture picture{mode.width, mode.height, {}};
    picture.pixels.resize(std::size_t{mode.width} * mode.height);
    display.call<&backplane_display::read_pixels>(0u, 0u, mode.width, mode.height,
                                                  picture.pixels.data(), std::uint64_t{mode.width});
    return picture;
}

std::vector<std::string> screen_text(const DisplayConnection& display) {
    backplane_display_text text{};
    text.struct_size = sizeof text;
    if (display.call<&backplane_display::read_text>(
            &text, static_cast<backplane_display_cell*>(nullptr), 0u) == 0)
        return {};
    std::vector<backplane_display_cell> cells(std::size_t{text.columns} * text.rows);
    display.call<&backplane_display::read_text>(&text, cells.data(),
                                                static_cast<std::uint32_t>(cells.size()));
    std::vector<std::string> rows;
    for (std::uint32_t row = 0; row < text.rows; ++row)
        rows.push_back(row_text(cells.data() + std::size_t{row} * text.columns, text.columns));
    return rows;
}

}  // namespace backplane::runtime
