// Moving heads: seeks of several drives may go on at once. (datasheet 5.2.1 to 5.2.3 and 5.2.5)
#include "fdc82077.h"
#include "fdc_registers.h"

#include <algorithm>
#include <chrono>

namespace backplane::storage {

namespace {

using namespace std::chrono_literals;

constexpr std::uint8_t most_recalibration_steps = 79;
constexpr std::uint32_t rate_of_times = 500'000;  // at which times are as SPECIFY counts them

}  // namespace

void Fdc82077::begin_seek(SeekKind kind, unsigned steps, bool inwards) {
    const unsigned which = unit();
    const auto bit = static_cast<std::uint8_t>(1u << which);
    seek_kind_[which] = kind;
    steps_left_[which] = static_cast<std::uint8_t>(steps);
    if (kind == SeekKind::Recalibrate) {
        steps_left_[which] = most_recalibration_steps;
        cylinder_[which] = 0;
    }
    seeks_inwards_ = static_cast<std::uint8_t>(inwards ? seeks_inwards_ | bit
                                                       : seeks_inwards_ & ~bit);
    seeking_ |= bit;
    seek_ended_ &= static_cast<std::uint8_t>(~bit);
    polled_ &= static_cast<std::uint8_t>(~bit);
    drive_interrupt();
    set_alarm_after(Step + which, immediately);
}

// Steps go to whichever drive DOR has selected. (datasheet table 5-1, note)
void Fdc82077::step(unsigned which) {
    const bool inwards = (seeks_inwards_ >> which & 1) != 0;
    const SeekKind kind = seek_kind_[which];
    const bool at_track_0 = (drive_state().signals & BACKPLANE_FLOPPY_TRACK_0) != 0;
    if (kind == SeekKind::Recalibrate && at_track_0) return end_seek(which, 0);
    if (steps_left_[which] == 0)
        return end_seek(which, kind == SeekKind::Recalibrate
                                   ? fdc_st0::abnormal | fdc_st0::equipment_check
                                   : 0);
    --steps_left_[which];
    if (kind != SeekKind::Recalibrate)
        cylinder_[which] = static_cast<std::uint8_t>(cylinder_[which] + (inwards ? 1 : -1));
    stepped_ = true;
    step_inwards_ = inwards;
    if (Cable* cable = selected())
        cable->drive.call<&backplane_floppy_drive::step>(std::int32_t{inwards});
    set_alarm_after(Step + which, step_time());
}

void Fdc82077::end_seek(unsigned which, std::uint8_t status) {
    const auto bit = static_cast<std::uint8_t>(1u << which);
    seeking_ &= static_cast<std::uint8_t>(~bit);
    if (mode_ == Mode::Ps2) stepped_ = false;
    const bool was_waited_for = phase_ == Phase::Execution && wait_ == Wait::Seek &&
                                unit() == which;
    if (was_waited_for && implied_seek_) {
        st0_ |= fdc_st0::seek_end;
        return arrived_at_cylinder();
    }
    seek_status_[which] = static_cast<std::uint8_t>(status | fdc_st0::seek_end | which);
    seek_ended_ |= bit;
    irq_.drive(false);
    drive_interrupt();
    if (was_waited_for) go_to_cylinder();
}

// ---- SPECIFY. (datasheet table 5-10: the times are for 500 kbit/s, and twice that for half of it)

Duration Fdc82077::step_time() const {
    const int rate = specify_[0] >> 4;
    return faster((16 - rate) * Duration{1ms} * rate_of_times / bit_rate());
}

Duration Fdc82077::head_unload_time() const {
    const int time = specify_[0] & 0xf;
    return faster((time == 0 ? 16 : time) * Duration{16ms} * rate_of_times / bit_rate());
}

Duration Fdc82077::head_load_time() const {
    const int time = specify_[1] >> 1;
    return faster((time == 0 ? 128 : time) * Duration{2ms} * rate_of_times / bit_rate());
}

}  // namespace backplane::storage
