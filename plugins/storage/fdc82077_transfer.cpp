// The execution phase of commands that use the disk. (datasheet 5.1)
#include "fdc82077.h"
#include "fdc_registers.h"

#include <algorithm>
#include <cstring>
#include <span>

namespace backplane::storage {

namespace {

constexpr std::uint8_t implied_seek_enabled = 0x40;  // of CONFIGURE
constexpr std::uint8_t enable_count = 0x80;          // of VERIFY
constexpr std::uint8_t size_codes = 7;

bool seeks_by_itself(FdcCommand command) {
    return fdc_is_read(command) || fdc_is_write(command) || fdc_is_scan(command) ||
           command == FdcCommand::Verify || command == FdcCommand::ReadTrack;
}

bool writes_on_disk(FdcCommand command) {
    return fdc_is_write(command) || command == FdcCommand::FormatTrack;
}

}  // namespace

void Fdc82077::begin_disk_command() {
    phase_ = Phase::Execution;
    st0_ = st1_ = st2_ = 0;
    head_ = (command_[1] & 4) != 0;
    is_last_ = terminal_count_ = has_written_ = implied_seek_ = disk_lost_ = false;
    expected_ = moved_ = passed_ = 0;
    step_of_records_ = 1;
    if (doing_ == FdcCommand::FormatTrack) {
        c_ = h_ = r_ = 0;
        n_ = command_[2];
        last_record_ = command_[3];
    } else if (doing_ == FdcCommand::ReadId) {
        c_ = h_ = r_ = n_ = 0;
    } else {
        c_ = command_[2], h_ = command_[3], r_ = command_[4], n_ = command_[5];
        last_record_ = command_[6];
        if (fdc_is_scan(doing_)) step_of_records_ = command_[8];
        to_verify_ = command_[8];
    }
    const bool is_protected = (drive_state().signals & BACKPLANE_FLOPPY_WRITE_PROTECT) != 0;
    if (writes_on_disk(doing_) && is_protected) {
        st1_ |= fdc_st1::not_writable;
        return wait_until(Wait::NotFound, now() + immediately);
    }
    go_to_cylinder();
}

void Fdc82077::go_to_cylinder() {
    if ((seeking_ >> unit() & 1) != 0) {
        wait_ = Wait::Seek;
        return;
    }
    const int distance = c_ - cylinder_[unit()];
    const bool may_seek = (configuration_ & implied_seek_enabled) != 0 && seeks_by_itself(doing_);
    if (!may_seek || distance == 0) return arrived_at_cylinder();
    wait_ = Wait::Seek;
    implied_seek_ = true;
    begin_seek(SeekKind::Seek, static_cast<unsigned>(std::abs(distance)), distance > 0);
}

void Fdc82077::arrived_at_cylinder() {
    const bool is_loaded = now() < head_loaded_until_;
    wait_until(Wait::HeadLoad, now() + (is_loaded ? immediately : head_load_time()));
}

// What was waited for has come.
void Fdc82077::waited() {
    if (wait_ == Wait::HeadLoad) return next_sector();
    if (wait_ == Wait::NotFound) return finish(fdc_st0::abnormal);
    // Without a disk under the head no more comes; a data field that breaks off is a wrong one.
    if (!disk_turns() || disk_lost_) {
        end_data();
        if (wait_ != Wait::Data) return look();
        return fail(fdc_st1::data_error, fdc_st2::data_error_in_data);
    }
    switch (wait_) {
    case Wait::Index: return begin_track();
    case Wait::Sector: return sector_passes();
    case Wait::Data: return data_ended();
    case Wait::TrackEnd: return start_io(Io::Format);
    case Wait::Id: {
        backplane_floppy_sector id{};
        selected()->drive.call<&backplane_floppy_drive::sector>(std::uint32_t{head_},
                                                                std::uint32_t{track_index_}, &id);
        c_ = id.cylinder, h_ = id.head, r_ = id.record, n_ = id.size;
        return finish(0);
    }
    default: return;
    }
}

void Fdc82077::next_sector() {
    if (!by_dma() && doing_ != FdcCommand::Verify && doing_ != FdcCommand::FormatTrack &&
        doing_ != FdcCommand::ReadId)
        expect_data(sector_bytes());  // a CPU may fill the FIFO ahead
    look();
}

void Fdc82077::sector_passes() {
    backplane_floppy_sector id{};
    selected()->drive.call<&backplane_floppy_drive::sector>(std::uint32_t{head_},
                                                            std::uint32_t{track_index_}, &id);
    was_read_ = mode_ == Mode::Ps2 ? !was_read_ : true;
    if (doing_ == FdcCommand::ReadTrack) {
        // Sectors come as they are, whatever their identification is. (datasheet 5.1.5)
        const bool is_other = id.cylinder != c_ || id.head != h_ || id.record != r_ ||
                              id.size != n_;
        if (is_other) st1_ |= fdc_st1::no_data;
    } else if (!fdc_is_write(doing_)) {
        const bool wants_deleted = doing_ == FdcCommand::ReadDeletedData;
        if ((id.deleted != 0) != wants_deleted) {
            st2_ |= fdc_st2::control_mark;
            if ((command_[0] & fdc_option::skip) != 0) {
                // Should none be compared it is as if all were equal. (8272A datasheet)
                const bool was_compared = (st2_ & fdc_st2::scan_not_satisfied) != 0;
                if (fdc_is_scan(doing_) && !was_compared) st2_ |= fdc_st2::scan_hit;
                return sector_done();
            }
            is_last_ = true;
        }
    }
    if (fdc_takes_data(doing_)) return begin_data();
    start_io(Io::Read);
}

void Fdc82077::data_ended() {
    end_data();
    if (doing_ == FdcCommand::Verify) return sector_done();
    if (moved_ < expected_ && passed_ < expected_ && !terminal_count_) {
        ++overruns_;
        return fail(fdc_st1::overrun);
    }
    if (doing_ == FdcCommand::FormatTrack) {
        ++track_index_;
        return format_next();
    }
    if (fdc_is_scan(doing_)) return start_io(Io::Read);
    if (!fdc_is_write(doing_)) return sector_done();
    // After terminal count, or a DTL below the sector's length, the rest is zeroes.
    std::ranges::fill(std::span{buffer_}.subspan(moved_), std::uint8_t{0});
    was_written_ = mode_ == Mode::Ps2 ? !was_written_ : true;
    write_gate_ = mode_ == Mode::Model30;
    start_io(Io::Write);
}

// A byte of all ones, on either side, is like any. The first difference decides. (8272A datasheet,
// "Scan Commands")
void Fdc82077::compare() {
    constexpr std::uint8_t any = 0xff;
    int order = 0;
    for (std::uint32_t at = 0; at < moved_ && order == 0; ++at)
        if (compared_[at] != any && buffer_[at] != any)
            order = int{compared_[at]} - int{buffer_[at]};
    const bool satisfied = order == 0 || (order < 0 && doing_ == FdcCommand::ScanLowOrEqual) ||
                           (order > 0 && doing_ == FdcCommand::ScanHighOrEqual);
    st2_ &= static_cast<std::uint8_t>(~(fdc_st2::scan_hit | fdc_st2::scan_not_satisfied));
    if (order == 0) st2_ |= fdc_st2::scan_hit;
    if (!satisfied) st2_ |= fdc_st2::scan_not_satisfied;
    if (satisfied) is_last_ = true;
    sector_done();
}

// To the sector after this one; false when it was the last of the cylinder, or of the side. (table
// 5-5)
bool Fdc82077::advance() {
    if (r_ != last_record_) {
        r_ = static_cast<std::uint8_t>(r_ + step_of_records_);
        return true;
    }
    r_ = 1;
    const bool both_sides = (command_[0] & fdc_option::multi_track) != 0;
    if (both_sides) h_ ^= 1;
    if (both_sides && !head_) return true;
    ++c_;
    return false;
}

void Fdc82077::sector_done() {
    ++sectors_;
    if (doing_ == FdcCommand::ReadTrack) {
        ++track_count_;
        r_ = static_cast<std::uint8_t>(r_ + 1);
        if (terminal_count_ || track_count_ >= last_record_) return finish(0);
        ++track_index_;
        return begin_track();
    }
    // A mark of the other kind ends the command where it is. (tables 5-3 and 5-4)
    const bool stays = is_last_ && (st2_ & fdc_st2::control_mark) != 0;
    if (stays) return finish(0);
    const bool other_side = r_ == last_record_ && !head_;
    const bool goes_on = advance();
    const bool counts = doing_ == FdcCommand::Verify && (command_[1] & enable_count) != 0;
    if (counts && --to_verify_ == 0) return finish(0);
    if (terminal_count_ || is_last_) return finish(0);
    if (!goes_on) {
        // Nothing but the end of the cylinder ends these. (tables 5-7 and 5-9)
        if (fdc_is_scan(doing_) || (doing_ == FdcCommand::Verify && !counts)) return finish(0);
        st1_ |= fdc_st1::end_of_cylinder;
        return finish(fdc_st0::abnormal);
    }
    if (other_side) head_ = true;
    next_sector();
}

// ---- Whole tracks

// At the index pulse, or at the next sector.
void Fdc82077::begin_track() {
    if (wait_ == Wait::Index) {
        track_begin_ = now();
        track_index_ = 0;
        track_count_ = 0;
        if (doing_ == FdcCommand::FormatTrack) {
            was_written_ = mode_ == Mode::Ps2 ? !was_written_ : true;
            return format_next();
        }
    } else if (!by_dma()) {
        expect_data(sector_bytes());
    }
    const backplane_floppy_track track = track_under_head();
    const backplane_floppy_track expected = track_to_write();
    if (track.sectors == 0 || track.bit_rate != expected.bit_rate ||
        track.encoding != expected.encoding) {
        st1_ |= fdc_st1::missing_address_mark;
        return wait_until(Wait::NotFound, track_begin_ + turn_time());
    }
    if (track_index_ == track.sectors) {
        track_index_ = 0;
        track_begin_ += turn_time();
    }
    wait_until(Wait::Sector, track_begin_ + layout(track).data_begin(track_index_));
}

// The host gives C, H, R and N of each sector, for as many as it has said and as have room.
void Fdc82077::format_next() {
    const FloppyTrackLayout places = layout(track_to_write());
    const Duration sector = places.formatted(std::uint64_t{128} << (n_ & size_codes), command_[4]);
    const Duration begin = track_begin_ + places.before_first() + sector * track_index_;
    const Duration end = track_begin_ + turn_time();
    constexpr std::uint32_t id_bytes = 4;
    if (track_index_ == last_record_ || begin + sector > end)
        return wait_until(Wait::TrackEnd, end);
    expect_data(id_bytes, track_index_ * id_bytes);
    wait_until(Wait::Data, begin + sector);
}

// ---- The end

void Fdc82077::fail(std::uint8_t st1, std::uint8_t st2) {
    st1_ |= st1;
    st2_ |= st2;
    finish(fdc_st0::abnormal);
}

void Fdc82077::finish(std::uint8_t interrupt_code) {
    st0_ |= interrupt_code;
    end_data();
    stop_alarm(Waited);
    // What is on the disk then lasts.
    if (has_written_) return start_io(Io::Flush);
    finish_now();
}

void Fdc82077::finish_now() {
    const bool has_more = fifo_count_ != 0 && !fdc_takes_data(doing_) && !by_dma();
    if (has_more && (st1_ & fdc_st1::overrun) == 0) {
        wait_ = Wait::Host;
        return update_fifo_request();
    }
    fifo_count_ = 0;
    expected_ = moved_ = passed_ = 0;
    update_fifo_request();
    enter_result();
}

// ---- Transfers between the disk and the buffer

void Fdc82077::start_io(Io what) {
    Cable* cable = selected();
    if (cable == nullptr) return io_done(what, BACKPLANE_BLOCK_NO_MEDIUM);
    const auto& drive = cable->drive;
    const std::uint32_t head = head_, index = track_index_;
    wait_ = Wait::Io;
    io_ = what;
    std::int32_t result = BACKPLANE_BLOCK_OK;
    switch (what) {
    case Io::Read:
        result = drive.call<&backplane_floppy_drive::read>(
            head, index, fdc_is_scan(doing_) ? compared_.data() : buffer_.data());
        break;
    case Io::Write:
        result = drive.call<&backplane_floppy_drive::write>(
            head, index, static_cast<const std::uint8_t*>(buffer_.data()),
            std::int32_t{doing_ == FdcCommand::WriteDeletedData});
        break;
    case Io::Format: {
        std::array<backplane_floppy_sector, 256> ids{};
        for (std::size_t each = 0; each < track_index_; ++each)
            ids[each] = {buffer_[each * 4],
                         buffer_[each * 4 + 1],
                         buffer_[each * 4 + 2],
                         buffer_[each * 4 + 3],
                         0,
                         {}};
        backplane_floppy_track track = track_to_write();
        track.sectors = track_index_;
        result = drive.call<&backplane_floppy_drive::format>(
            head, static_cast<const backplane_floppy_track*>(&track),
            static_cast<const backplane_floppy_sector*>(ids.data()), command_[5]);
        break;
    }
    default: result = drive.call<&backplane_floppy_drive::flush>();
    }
    if (result != BACKPLANE_BLOCK_PENDING) io_completed(result);
}

void Fdc82077::io_completed(std::int32_t result) {
    const Io what = io_;
    if (what == Io::None) return;
    io_ = Io::None;
    io_done(what, result);
}

void Fdc82077::io_done(Io what, std::int32_t result) {
    const bool ok = result == BACKPLANE_BLOCK_OK;
    switch (what) {
    case Io::Read:
        if (!ok) return fail(fdc_st1::data_error, fdc_st2::data_error_in_data);
        return fdc_is_scan(doing_) ? compare() : begin_data();
    case Io::Write:
    case Io::Format:
        if (ok) has_written_ = true;
        if (result == BACKPLANE_BLOCK_READ_ONLY) return fail(fdc_st1::not_writable);
        // As a drive's fault would be told.
        if (!ok) st0_ |= fdc_st0::equipment_check;
        if (!ok) return finish(fdc_st0::abnormal);
        return what == Io::Write ? sector_done() : finish(0);
    default:
        if (!ok) st0_ |= fdc_st0::equipment_check | fdc_st0::abnormal;
        finish_now();
    }
}

void Fdc82077::cancel_io() {
    if (io_ == Io::None) return;
    io_ = Io::None;
    for (Cable& cable : cables_)
        if (cable.drive) cable.drive.call<&backplane_floppy_drive::cancel>();
}

}  // namespace backplane::storage
