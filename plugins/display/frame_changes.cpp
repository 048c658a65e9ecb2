#include "frame_changes.h"

#include <algorithm>

namespace backplane::display {

std::uint64_t FrameChanges::tell(VgaChip& chip, Duration now, std::uint64_t since,
                                 std::uint64_t* rows, std::uint32_t count) {
    look(chip, Raster{chip, now});
    const bool all = since == 0 || since > stamp_;
    std::fill_n(rows, (count + 63) / 64, 0);
    for (std::uint32_t row = 0; row < std::min(count, shape_.height); ++row)
        if (all || stamps_[row] > since) rows[row / 64] |= std::uint64_t{1} << row % 64;
    return stamp_;
}

void FrameChanges::look(VgaChip& chip, const Raster& raster) {
    const bool phase_changed = blink_ != raster.blink();
    const bool blinks_everywhere = raster.shape().kind == BACKPLANE_DISPLAY_GRAPHICS &&
                                   chip.attribute.blinks() && phase_changed;
    if (chip.picture_changed || shape_ != raster.shape() || blinks_everywhere) {
        chip.picture_changed = false;
        chip.memory.take_written();
        shape_ = raster.shape();
        stamps_.assign(shape_.height, stamp_ + 1);
    } else if (shape_.kind != BACKPLANE_DISPLAY_BLANK) {
        look_at_memory(chip, raster);
        if (shape_.kind == BACKPLANE_DISPLAY_TEXT) {
            if (phase_changed) look_at_blinking(chip, raster);
            look_at_cursor(chip, raster);
        }
    }
    cursor_ = chip.crtc.cursor();
    blink_ = raster.blink();
    if (std::ranges::find(stamps_, stamp_ + 1) != stamps_.end()) ++stamp_;
}

void FrameChanges::look_at_memory(VgaChip& chip, const Raster& raster) {
    const auto pages = chip.memory.take_written();
    if (std::ranges::none_of(pages, [](std::uint8_t written) { return written != 0; })) return;
    for (std::uint32_t row = 0; row < shape_.height; ++row)
        if (raster.shows_page(row, pages)) mark(row);
}

void FrameChanges::look_at_blinking(const VgaChip& chip, const Raster& raster) {
    if (!chip.attribute.blinks() || blink_->characters_on == raster.blink().characters_on) return;
    for (std::uint32_t row = 0; row < shape_.height; ++row) {
        const Crtc::Line line = raster.line(row);
        for (std::uint32_t column = 0; column < raster.seen_columns(); ++column)
            if ((raster.cell(line, column).attribute & 0x80) != 0) mark(row);
    }
}

void FrameChanges::look_at_cursor(const VgaChip& chip, const Raster& raster) {
    const Crtc::Cursor cursor = chip.crtc.cursor();
    if (cursor == cursor_ && blink_->cursor_on == raster.blink().cursor_on) return;
    mark_cursor(chip, raster, cursor_);
    mark_cursor(chip, raster, cursor);
}

void FrameChanges::mark_cursor(const VgaChip& chip, const Raster& raster,
                               const Crtc::Cursor& cursor) {
    if (!cursor.is_visible) return;
    for (std::uint32_t row = 0; row < shape_.height; ++row) {
        const Crtc::Line line = raster.line(row);
        for (std::uint32_t column = 0; column < raster.seen_columns(); ++column)
            if (chip.crtc.counter(line.counter, column) == cursor.counter) mark(row);
    }
}

}  // namespace backplane::display
