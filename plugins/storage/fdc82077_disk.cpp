// The disk that turns under the head: which there is, and when what one looks for passes.
#include "fdc82077.h"
#include "fdc_registers.h"

#include <algorithm>
#include <array>

namespace backplane::storage {

namespace {

constexpr std::array<std::uint32_t, 4> bit_rates{500'000, 300'000, 250'000, 1'000'000};
// Whatever a drive says; nothing has more.
constexpr std::uint32_t most_sectors = 256;
constexpr int index_pulses_to_give_up = 2;

}  // namespace

// A drive is selected only while its motor is on. (datasheet 2.1.3; IBM PC/AT Technical Reference,
// "Digital Output Register")
Fdc82077::Cable* Fdc82077::selected() {
    const unsigned number = dor_ & fdc_dor::drive;
    const bool motor = (dor_ >> fdc_dor::motors_shift >> number & 1) != 0;
    return motor && cables_[number].drive ? &cables_[number] : nullptr;
}

backplane_floppy_state Fdc82077::drive_state() {
    backplane_floppy_state state{};
    state.struct_size = sizeof state;
    if (Cable* cable = selected()) cable->drive.call<&backplane_floppy_drive::state>(&state);
    return state;
}

bool Fdc82077::disk_turns() { return real_turn_time() > Duration{0}; }

Duration Fdc82077::real_turn_time() {
    return Duration{static_cast<std::int64_t>(drive_state().revolution)};
}

// When the last index pulse was; the first is when the disk has come to its speed.
Duration Fdc82077::turn_begin() {
    const auto spin_up = Duration{static_cast<std::int64_t>(drive_state().spin_up)};
    const Duration first = motor_since_[dor_ & fdc_dor::drive] + faster(spin_up);
    if (now() <= first) return first;
    return now() - (now() - first) % turn_time();
}

std::uint32_t Fdc82077::bit_rate() const { return bit_rates[rate_]; }

backplane_floppy_track Fdc82077::track_under_head() {
    backplane_floppy_track track{};
    track.struct_size = sizeof track;
    if (Cable* cable = selected())
        cable->drive.call<&backplane_floppy_drive::track>(std::uint32_t{head_}, &track);
    track.sectors = std::min(track.sectors, most_sectors);
    return track;
}

// In FM the same clock makes half the data.
backplane_floppy_track Fdc82077::track_to_write() const {
    return {.struct_size = sizeof(backplane_floppy_track),
            .sectors = last_record_,
            .bit_rate = is_mfm() ? bit_rate() : bit_rate() / 2,
            .encoding = is_mfm() ? std::uint32_t{BACKPLANE_FLOPPY_MFM}
                                 : std::uint32_t{BACKPLANE_FLOPPY_FM}};
}

FloppyTrackLayout Fdc82077::layout(const backplane_floppy_track& track) {
    return {track, real_turn_time(), turn_time()};
}

void Fdc82077::wait_until(Wait what, Duration when) {
    wait_ = what;
    set_alarm(Waited, when);
}

// Begins to look for what the command needs next on this track.
void Fdc82077::look() {
    stop_alarm(Waited);
    disk_lost_ = false;
    if (!disk_turns()) {
        wait_ = Wait::Disk;
        return;
    }
    if (doing_ == FdcCommand::ReadTrack || doing_ == FdcCommand::FormatTrack)
        return wait_until(Wait::Index, turn_begin() + turn_time());
    const backplane_floppy_track track = track_under_head();
    const backplane_floppy_track expected = track_to_write();
    const bool is_readable = track.sectors != 0 && track.bit_rate == expected.bit_rate &&
                             track.encoding == expected.encoding;
    if (!is_readable) {
        st1_ |= fdc_st1::missing_address_mark;
        return wait_until(Wait::NotFound, turn_begin() + index_pulses_to_give_up * turn_time());
    }
    doing_ == FdcCommand::ReadId ? look_for_any_id() : look_for_sector();
}

void Fdc82077::look_for_sector() {
    const backplane_floppy_track track = track_under_head();
    const FloppyTrackLayout places = layout(track);
    const Cable& cable = *selected();
    Duration begin = turn_begin();
    std::uint8_t seen = 0;
    for (int pulses = 0; pulses < index_pulses_to_give_up; ++pulses, begin += turn_time()) {
        for (std::uint32_t index = 0; index < track.sectors; ++index) {
            if (begin + places.id_begin(index) < now()) continue;
            backplane_floppy_sector id{};
            cable.drive.call<&backplane_floppy_drive::sector>(std::uint32_t{head_}, index, &id);
            if (id.cylinder == c_ && id.head == h_ && id.record == r_ && id.size == n_) {
                track_index_ = static_cast<std::uint8_t>(index);
                return wait_until(Wait::Sector, begin + places.data_begin(index));
            }
            constexpr std::uint8_t marks_bad_track = 0xff;
            if (id.cylinder != c_)
                seen |= id.cylinder == marks_bad_track ? fdc_st2::bad_cylinder
                                                       : fdc_st2::wrong_cylinder;
        }
    }
    st1_ |= fdc_st1::no_data;
    st2_ |= seen;
    wait_until(Wait::NotFound, begin);
}

void Fdc82077::look_for_any_id() {
    const backplane_floppy_track track = track_under_head();
    const FloppyTrackLayout places = layout(track);
    for (Duration begin = turn_begin();; begin += turn_time()) {
        for (std::uint32_t index = 0; index < track.sectors; ++index) {
            if (begin + places.id_begin(index) < now()) continue;
            track_index_ = static_cast<std::uint8_t>(index);
            return wait_until(Wait::Id, begin + places.id_end(index));
        }
    }
}

void Fdc82077::disk_changed(unsigned number) {
    if (phase_ != Phase::Execution || number != (dor_ & fdc_dor::drive)) return;
    disk_lost_ = true;
    if (wait_ == Wait::Disk) look();
}

}  // namespace backplane::storage
