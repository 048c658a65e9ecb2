// The character cells of a text screen and its cursor, as presenters read them.
#pragma once

#include <backplane/abi/display.h>

#include <cstdint>

namespace backplane::display {

class Raster;
struct VgaChip;

backplane_display_text text_screen(const VgaChip& chip, const Raster& raster);

// The first `capacity` cells, row by row.
void read_cells(const VgaChip& chip, const Raster& raster, backplane_display_cell* cells,
                std::uint32_t capacity);

}  // namespace backplane::display
