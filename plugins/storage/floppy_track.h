// Where in a turn the parts of a track pass under the head: the layout of IBM's System 34 format in
// MFM, and of its System 3740 format in FM, with the sectors spread evenly. (Intel 82077AA
// datasheet 290166, figure 5-1 "IBM System 34 Double Density Format")
#pragma once

#include <backplane/abi/floppy_drive.h>
#include <backplane/units.h>

#include <cstdint>

namespace backplane::storage {

class FloppyTrackLayout {
public:
    // `revolution` may be shorter than that of the drive: then all passes so much faster.
    FloppyTrackLayout(const backplane_floppy_track& track, Duration drive_revolution,
                      Duration revolution)
        : revolution_{revolution}, sectors_{track.sectors},
          is_mfm_{track.encoding == BACKPLANE_FLOPPY_MFM},
          bytes_{scale(static_cast<std::uint64_t>(drive_revolution.count()), track.bit_rate,
                       std::uint64_t{8} * nanoseconds_per_second)} {}

    // From the index pulse on.
    Duration id_begin(std::uint32_t index) const { return time(begin_of(index)); }
    Duration id_end(std::uint32_t index) const { return time(begin_of(index) + id_field()); }
    Duration data_begin(std::uint32_t index) const { return time(begin_of(index) + before_data()); }
    // Of so many bytes with their checksum.
    Duration data(std::uint64_t bytes) const { return time(bytes + checksum); }
    // From one sector's beginning to the next one's, formatted with `gap` bytes between.
    Duration formatted(std::uint64_t bytes, std::uint64_t gap) const {
        return time(before_data() + bytes + checksum + gap);
    }
    Duration before_first() const { return time(index_gap()); }

private:
    static constexpr std::uint64_t checksum = 2;

    // Gap 4a, sync, index mark, gap 1.
    std::uint64_t index_gap() const { return is_mfm_ ? 80 + 12 + 4 + 50 : 40 + 6 + 1 + 26; }
    // Sync, mark, C, H, R, N, CRC.
    std::uint64_t id_field() const { return is_mfm_ ? 12 + 4 + 4 + 2 : 6 + 1 + 4 + 2; }
    // And gap 2, sync, mark.
    std::uint64_t before_data() const { return id_field() + (is_mfm_ ? 22 + 12 + 4 : 11 + 6 + 1); }

    std::uint64_t begin_of(std::uint32_t index) const {
        const std::uint64_t room = bytes_ > index_gap() ? bytes_ - index_gap() : 0;
        return index_gap() + room * index / (sectors_ == 0 ? 1 : sectors_);
    }
    Duration time(std::uint64_t bytes) const {
        return Duration{static_cast<std::int64_t>(scale(
            static_cast<std::uint64_t>(revolution_.count()), bytes, bytes_ == 0 ? 1 : bytes_))};
    }

    Duration revolution_;
    std::uint32_t sectors_;
    bool is_mfm_;
    std::uint64_t bytes_;  // of a whole turn
};

}  // namespace backplane::storage
