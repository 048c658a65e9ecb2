// Remembers for each row of the frame when it was last seen to change, so that any number of
// presenters copy only what is new to them.
#pragma once

#include "raster.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace backplane::display {

class FrameChanges {
public:
    // As backplane_display::changes says.
    std::uint64_t tell(VgaChip& chip, Duration now, std::uint64_t since, std::uint64_t* rows,
                       std::uint32_t count);

private:
    void look(VgaChip& chip, const Raster& raster);
    void look_at_memory(VgaChip& chip, const Raster& raster);
    void look_at_blinking(const VgaChip& chip, const Raster& raster);
    void look_at_cursor(const VgaChip& chip, const Raster& raster);
    void mark(std::uint32_t row) { stamps_[row] = stamp_ + 1; }
    void mark_cursor(const VgaChip& chip, const Raster& raster, const Crtc::Cursor& cursor);

    std::uint64_t stamp_ = 0;            // of what was seen last
    std::vector<std::uint64_t> stamps_;  // of each row
    // What was seen last.
    FrameShape shape_;
    Crtc::Cursor cursor_{};
    std::optional<BlinkPhase> blink_;
};

}  // namespace backplane::display
