// Commands that do not use the disk, and the result phase. (datasheet chapter 5)
#include "fdc82077.h"
#include "fdc_registers.h"

#include <algorithm>
#include <bit>
#include <ostream>
#include <span>
#include <string_view>

namespace backplane::storage {

namespace {

constexpr std::uint8_t version = 0x90;
constexpr std::uint8_t lock_result = 0x10;

// As a datasheet writes them.
struct HexBytes {
    std::span<const std::uint8_t> bytes;
    friend std::ostream& operator<<(std::ostream& out, HexBytes hex) {
        constexpr std::string_view digits = "0123456789ABCDEF";
        const char* separator = "";
        for (const std::uint8_t byte : hex.bytes) {
            out << separator << digits[byte >> 4] << digits[byte & 15];
            separator = " ";
        }
        return out;
    }
};

// CONFIGURE
constexpr std::uint8_t configuration_bits = 0x7f;

// PERPENDICULAR MODE
constexpr std::uint8_t overwrite = 0x80, perpendicular_drives = 0x3c, gap_and_gate = 0x03;

}  // namespace

void Fdc82077::execute() {
    ++commands_;
    received_ = 0;
    log(LogLevel::Trace, "command ", HexBytes{std::span{command_}.first(length_)});
    switch (doing_) {
    case FdcCommand::Invalid: return reply({fdc_st0::invalid});
    case FdcCommand::Version: return reply({version});
    case FdcCommand::SenseInterruptStatus: return sense_interrupt();
    case FdcCommand::Specify: specify_ = {command_[1], command_[2]}; return;
    case FdcCommand::SenseDriveStatus: return sense_drive();
    case FdcCommand::Configure: return configure();
    case FdcCommand::DumpRegisters: return dump_registers();
    case FdcCommand::PerpendicularMode: return set_perpendicular();
    case FdcCommand::Lock:
        is_locked_ = (command_[0] & fdc_option::lock) != 0;
        return reply({is_locked_ ? lock_result : std::uint8_t{0}});
    case FdcCommand::Recalibrate: return begin_seek(SeekKind::Recalibrate, 0, false);
    case FdcCommand::Seek: {
        const int distance = command_[2] - cylinder_[unit()];
        return begin_seek(SeekKind::Seek, static_cast<unsigned>(std::abs(distance)), distance > 0);
    }
    case FdcCommand::RelativeSeek:
        return begin_seek(SeekKind::Relative, command_[2],
                          (command_[0] & fdc_option::step_inwards) != 0);
    default: return begin_disk_command();
    }
}

// A result that nobody is interrupted for.
void Fdc82077::reply(std::initializer_list<std::uint8_t> bytes) {
    std::ranges::copy(bytes, result_.begin());
    result_length_ = static_cast<std::uint8_t>(bytes.size());
    result_at_ = 0;
    phase_ = Phase::Result;
    log(LogLevel::Trace, "result ", HexBytes{std::span{result_}.first(result_length_)});
}

// Of the commands that use the disk.
void Fdc82077::enter_result() {
    if ((st0_ & fdc_st0::polling) != 0) ++failures_;
    const auto selection = static_cast<std::uint8_t>((head_ ? fdc_st0::head_1 : 0) | unit());
    reply({static_cast<std::uint8_t>(st0_ | selection), st1_, st2_, c_, h_, r_, n_});
    head_loaded_until_ = now() + head_unload_time();
    wait_ = Wait::None;
    result_interrupt_ = true;
    drive_interrupt();
}

void Fdc82077::configure() {
    configuration_ = command_[2] & configuration_bits;
    precompensation_track_ = command_[3];
}

void Fdc82077::sense_interrupt() {
    if (seek_ended_ != 0) {
        const auto which = static_cast<unsigned>(std::countr_zero(seek_ended_));
        seek_ended_ = static_cast<std::uint8_t>(seek_ended_ & (seek_ended_ - 1));
        irq_.drive(false);  // so that another drive's interrupt has an edge of its own
        reply({seek_status_[which], cylinder_[which]});
    } else if (polled_ != 0) {
        const auto which = static_cast<unsigned>(std::countr_zero(polled_));
        polled_ = static_cast<std::uint8_t>(polled_ & (polled_ - 1));
        reply({static_cast<std::uint8_t>(fdc_st0::polling | which), cylinder_[which]});
    } else {
        reply({fdc_st0::invalid});
    }
    poll_interrupt_ = false;
    drive_interrupt();
}

void Fdc82077::sense_drive() {
    const std::uint32_t signals = drive_state().signals;
    std::uint8_t value = fdc_st3::ones | (command_[1] & 7);
    if ((signals & BACKPLANE_FLOPPY_WRITE_PROTECT) != 0) value |= fdc_st3::write_protected;
    if ((signals & BACKPLANE_FLOPPY_TRACK_0) != 0) value |= fdc_st3::track_0;
    reply({value});
}

void Fdc82077::dump_registers() {
    const auto lock = static_cast<std::uint8_t>(is_locked_ ? 0x80 : 0);
    reply({cylinder_[0], cylinder_[1], cylinder_[2], cylinder_[3], specify_[0], specify_[1],
           last_record_, static_cast<std::uint8_t>(lock | perpendicular_), configuration_,
           precompensation_track_});
}

void Fdc82077::set_perpendicular() {
    const std::uint8_t value = command_[1];
    if ((value & overwrite) != 0)
        perpendicular_ = value & (perpendicular_drives | gap_and_gate);
    else
        perpendicular_ = (perpendicular_ & perpendicular_drives) | (value & gap_and_gate);
}

}  // namespace backplane::storage
