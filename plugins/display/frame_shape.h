// The size and kind of the picture that the chip's registers describe.
#pragma once

#include <backplane/abi/display.h>

#include <cstdint>

namespace backplane::display {

struct VgaChip;

struct FrameShape {
    backplane_display_kind kind = BACKPLANE_DISPLAY_BLANK;
    std::uint32_t width = 1, height = 1;
    std::uint32_t columns = 0, rows = 0, cell_width = 0, cell_height = 0;
    std::uint32_t bits_per_pixel = 0;
    bool operator==(const FrameShape&) const = default;
};

FrameShape frame_shape(const VgaChip& chip);

}  // namespace backplane::display
