// A display that shows what a test says: for presenters.
#pragma once

#include <backplane/abi/device.h>
#include <backplane/abi/display.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace backplane::testing {

// Graphics while `text` is empty, otherwise text of black cells. Whoever changes what is shown says
// so with touch().
class FakeDisplay {
public:
    FakeDisplay(std::uint32_t width, std::uint32_t height)
        : width{width}, height{height}, pixels(std::size_t{width} * height) {}

    backplane_link link() {
        static constexpr backplane_display functions{
            sizeof(backplane_display),
            0,
            [](void* object, backplane_display_mode* mode) { self(object).describe(*mode); },
            [](void* object, std::uint64_t since, std::uint64_t* rows, std::uint32_t count) {
                return self(object).changes(since, rows, count);
            },
            [](void* object, std::uint32_t x, std::uint32_t y, std::uint32_t columns,
               std::uint32_t rows, std::uint32_t* to, std::uint64_t stride) {
                for (std::uint32_t row = 0; row < rows; ++row)
                    for (std::uint32_t column = 0; column < columns; ++column)
                        to[row * stride + column] = self(object).pixel(x + column, y + row);
            },
            [](void* object, backplane_display_text* text, backplane_display_cell* cells,
               std::uint32_t capacity) { return self(object).read_text(*text, cells, capacity); },
            [](void* object, std::uint32_t width, std::uint32_t height) {
                self(object).preferred = {width, height};
            }};
        return {&functions, this};
    }

    void touch() { ++stamp_; }

    std::uint32_t width, height;
    std::vector<std::uint32_t> pixels;
    std::vector<std::string> text;  // rows of equal length
    std::pair<std::uint32_t, std::uint32_t> preferred{0, 0};

private:
    static FakeDisplay& self(void* object) { return *static_cast<FakeDisplay*>(object); }

    void describe(backplane_display_mode& mode) const {
        backplane_display_mode all{};
        all.struct_size = mode.struct_size;
        all.kind = text.empty() ? BACKPLANE_DISPLAY_GRAPHICS : BACKPLANE_DISPLAY_TEXT;
        all.width = width;
        all.height = height;
        all.bits_per_pixel = text.empty() ? 32 : 0;
        if (!text.empty()) {
            all.rows = static_cast<std::uint32_t>(text.size());
            all.columns = static_cast<std::uint32_t>(text.front().size());
            all.cell_width = width / all.columns;
            all.cell_height = height / all.rows;
        }
        std::memcpy(&mode, &all, std::min<std::size_t>(mode.struct_size, sizeof all));
    }

    std::uint64_t changes(std::uint64_t since, std::uint64_t* rows, std::uint32_t count) const {
        for (std::uint32_t row = 0; row < count; ++row) {
            if (row % 64 == 0) rows[row / 64] = 0;
            if (row < height && since != stamp_) rows[row / 64] |= std::uint64_t{1} << row % 64;
        }
        return stamp_;
    }

    std::uint32_t pixel(std::uint32_t x, std::uint32_t y) const {
        return x < width && y < height ? pixels[std::size_t{y} * width + x] : 0;
    }

    std::int32_t read_text(backplane_display_text& to, backplane_display_cell* cells,
                           std::uint32_t capacity) const {
        if (text.empty()) return 0;
        backplane_display_text all{};
        all.struct_size = to.struct_size;
        all.rows = static_cast<std::uint32_t>(text.size());
        all.columns = static_cast<std::uint32_t>(text.front().size());
        std::memcpy(&to, &all, std::min<std::size_t>(to.struct_size, sizeof all));
        for (std::uint32_t cell = 0; cell < capacity && cell < all.rows * all.columns; ++cell)
            cells[cell] = {static_cast<std::uint8_t>(text[cell / all.columns][cell % all.columns]),
                           0, 0, 0};
        return 1;
    }

    std::uint64_t stamp_ = 1;
};

}  // namespace backplane::testing
