// The registers in which the host sees the controller. (datasheet chapter 2)
#include "fdc82077.h"
#include "fdc_registers.h"

namespace backplane::storage {

namespace {

// From the end of a reset until commands are taken, and the poll of the drives has found them
// ready.
constexpr Duration ready_after_reset{20'000};

constexpr std::uint8_t no_such_register = 0xff;

constexpr std::uint8_t bit_if(bool condition, std::uint8_t bit) {
    return condition ? bit : std::uint8_t{0};
}

// Bits of CONFIGURE's third byte.
constexpr std::uint8_t fifo_disabled = 0x20, fifo_bits = 0x2f;

constexpr std::uint8_t perpendicular_gap_and_gate = 0x03;

}  // namespace

std::uint64_t Fdc82077::read(std::uint64_t offset, unsigned) {
    switch (static_cast<FdcRegister>(offset)) {
    case FdcRegister::Sra: return mode_ == Mode::At ? no_such_register : status_a();
    case FdcRegister::Srb: return mode_ == Mode::At ? no_such_register : status_b();
    case FdcRegister::Dor: return dor_;
    case FdcRegister::Tdr: return fdc_tdr::floating | tdr_;
    case FdcRegister::MsrDsr: return main_status();
    default: return read_fifo();
    }
}

void Fdc82077::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    const auto byte = static_cast<std::uint8_t>(value);
    switch (static_cast<FdcRegister>(offset)) {
    case FdcRegister::Sra:
    case FdcRegister::Srb: return;
    case FdcRegister::Dor: return write_dor(byte);
    case FdcRegister::Tdr: tdr_ = byte & fdc_tdr::tape_select; return;
    case FdcRegister::MsrDsr: return write_dsr(byte);
    default: return write_fifo(byte);
    }
}

std::uint8_t Fdc82077::status_a() {
    const std::uint32_t signals = drive_state().signals;
    // The pulse takes some milliseconds.
    constexpr int pulses_in_turn = 50;
    const bool index = disk_turns() && now() - turn_begin() < turn_time() / pulses_in_turn;
    const bool track_0 = (signals & BACKPLANE_FLOPPY_TRACK_0) != 0;
    const bool protect = (signals & BACKPLANE_FLOPPY_WRITE_PROTECT) != 0;
    const std::uint8_t common = bit_if(irq_.level(), fdc_sra::interrupt) |
                                bit_if(stepped_, fdc_sra::step);
    if (mode_ == Mode::Ps2)
        return common | bit_if(!cables_[1].drive, fdc_sra::no_second_drive) |
               bit_if(!track_0, fdc_sra::not_track_0) | bit_if(head_, fdc_sra::head_1) |
               bit_if(!index, fdc_sra::not_index) | bit_if(!protect, fdc_sra::not_write_protect) |
               bit_if(step_inwards_, fdc_sra::inwards);
    return common | bit_if(dma_request_ && gate_is_open(), fdc_sra::dma_request) |
           bit_if(track_0, fdc_sra::track_0) | bit_if(!head_, fdc_sra::not_head_1) |
           bit_if(index, fdc_sra::index) | bit_if(protect, fdc_sra::write_protect) |
           bit_if(!step_inwards_, fdc_sra::not_inwards);
}

std::uint8_t Fdc82077::status_b() const {
    const std::uint8_t common = bit_if(was_written_, fdc_srb::write_data) |
                                bit_if(was_read_, fdc_srb::read_data) |
                                bit_if(write_gate_, fdc_srb::write_enable);
    if (mode_ == Mode::Ps2)
        return common | fdc_srb::ones | bit_if((dor_ & 1) != 0, fdc_srb::drive_select_0) |
               (dor_ >> fdc_dor::motors_shift & fdc_srb::motors);
    const auto is_off = [this](unsigned drive) {
        return (dor_ & fdc_dor::drive) != drive ||
               (dor_ >> fdc_dor::motors_shift >> drive & 1) == 0;
    };
    return common | bit_if(!cables_[1].drive, fdc_srb::no_second_drive) |
           bit_if(is_off(0), fdc_srb::not_drive_0) | bit_if(is_off(1), fdc_srb::not_drive_1) |
           bit_if(is_off(2), fdc_srb::not_drive_2) | bit_if(is_off(3), fdc_srb::not_drive_3);
}

std::uint8_t Fdc82077::main_status() const {
    if (!is_ready_) return 0;
    std::uint8_t value = seeking_;
    if (phase_ != Phase::Command || received_ != 0) value |= fdc_msr::busy;
    switch (phase_) {
    case Phase::Command: return value | fdc_msr::request;
    case Phase::Result: return value | fdc_msr::request | fdc_msr::to_host;
    default: break;
    }
    if (by_dma()) return value;
    value |= fdc_msr::non_dma;
    if (fifo_request_)
        value |= fdc_msr::request | bit_if(!fdc_takes_data(doing_), fdc_msr::to_host);
    return value;
}

std::uint64_t Fdc82077::read_dir(std::uint64_t, unsigned) {
    const bool change = (drive_state().signals & BACKPLANE_FLOPPY_DISK_CHANGE) != 0;
    switch (mode_) {
    case Mode::At: return bit_if(change, fdc_dir::change) | fdc_dir::floating;
    case Mode::Ps2: {
        const bool is_low = rate_ == 1 || rate_ == 2;
        return bit_if(change, fdc_dir::change) | fdc_dir::ps2_ones | rate_ << 1 |
               bit_if(is_low, fdc_dir::ps2_low_density);
    }
    default:
        // What has passed on the wires is kept until here.
        stepped_ = was_read_ = was_written_ = write_gate_ = false;
        return bit_if(!change, fdc_dir::change) |
               bit_if((dor_ & fdc_dor::dma_gate) != 0, fdc_dir::model30_dma_gate) |
               bit_if(no_precompensation_, fdc_dir::no_precompensation) | rate_;
    }
}

void Fdc82077::write_ccr(std::uint64_t, unsigned, std::uint64_t value) {
    rate_ = value & fdc_dsr::rate;
    if (mode_ == Mode::Model30) no_precompensation_ = (value & fdc_dir::no_precompensation) != 0;
}

void Fdc82077::write_dor(std::uint8_t value) {
    const auto risen = static_cast<std::uint8_t>(value & ~dor_);
    const auto fallen = static_cast<std::uint8_t>(dor_ & ~value);
    dor_ = value;
    for (unsigned number = 0; number < drives; ++number)
        if ((risen >> fdc_dor::motors_shift >> number & 1) != 0) motor_since_[number] = now();
    if ((fallen & fdc_dor::not_reset) != 0) software_reset();
    if ((risen & fdc_dor::not_reset) != 0) begin_ready();
    drive_interrupt();
    drive_dma_request();
    if (wait_ == Wait::Disk) look();
}

void Fdc82077::write_dsr(std::uint8_t value) {
    rate_ = value & fdc_dsr::rate;
    if ((value & (fdc_dsr::reset | fdc_dsr::power_down)) == 0) return;
    software_reset();
    // Only a reset ends power-down. (datasheet 3.2)
    if ((value & fdc_dsr::power_down) == 0) begin_ready();
}

std::uint8_t Fdc82077::read_fifo() {
    if (phase_ == Phase::Result) {
        result_interrupt_ = false;
        const std::uint8_t value = result_[result_at_++];
        if (result_at_ == result_length_) phase_ = Phase::Command;
        drive_interrupt();
        return value;
    }
    if (phase_ == Phase::Execution && fifo_request_ && !fdc_takes_data(doing_)) return pop();
    return 0;
}

void Fdc82077::write_fifo(std::uint8_t value) {
    if (!is_ready_) return;
    if (phase_ == Phase::Execution && fifo_request_ && fdc_takes_data(doing_)) return push(value);
    if (phase_ != Phase::Command) return;
    if (received_ == 0) {
        const FdcCommandForm form = fdc_command(value);
        doing_ = form.command;
        length_ = form.length;
    }
    command_[received_++] = value;
    if (received_ == length_) execute();
}

// In PS/2 mode the bit has no effect. (datasheet 2.1.3)
bool Fdc82077::gate_is_open() const {
    return mode_ == Mode::Ps2 || (dor_ & fdc_dor::dma_gate) != 0;
}

void Fdc82077::drive_interrupt() {
    const bool wanted = result_interrupt_ || seek_ended_ != 0 || poll_interrupt_ || fifo_request_;
    irq_.drive(wanted && gate_is_open());
}

void Fdc82077::drive_dma_request() {
    if (dma_)
        dma_.call<&backplane_dma_channel::request>(std::int32_t{dma_request_ && gate_is_open()});
}

// ---- Resets

// Through DOR or DSR: what is in progress ends, and of what CONFIGURE has set only that stays which
// LOCK protects. The data rate, and what SPECIFY and PERPENDICULAR MODE have set for drives, stay.
// (datasheet 2.1.3, 5.2.6, 5.2.8 and 7.1)
void Fdc82077::software_reset() {
    cancel_io();
    is_ready_ = false;
    due_ = all_off;
    timer_.stop();
    configuration_ = is_locked_ ? configuration_ & fifo_bits : fifo_disabled;
    if (!is_locked_) precompensation_track_ = 0;
    perpendicular_ &= static_cast<std::uint8_t>(~perpendicular_gap_and_gate);
    cylinder_ = {};
    seeking_ = seek_ended_ = polled_ = 0;
    poll_interrupt_ = false;
    phase_ = Phase::Command;
    doing_ = FdcCommand::Invalid;
    received_ = 0;
    result_interrupt_ = false;
    wait_ = Wait::None;
    fifo_count_ = 0;
    expected_ = moved_ = passed_ = 0;
    fifo_request_ = dma_request_ = false;
    drive_interrupt();
    drive_dma_request();
}

void Fdc82077::begin_ready() {
    if ((dor_ & fdc_dor::not_reset) != 0) set_alarm_after(Ready, ready_after_reset);
}

// The simulated poll finds that all drives have become ready. (datasheet 7.4)
void Fdc82077::became_ready() {
    is_ready_ = true;
    polled_ = (1 << drives) - 1;
    poll_interrupt_ = true;
    drive_interrupt();
}

}  // namespace backplane::storage
