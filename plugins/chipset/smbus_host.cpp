#include "smbus_host.h"

#include <algorithm>

namespace backplane::chipset {

namespace {

// Both chips; those in between and after belong to the slave side or to the ICH9.
enum Register : unsigned {
    hst_sts = 0x00,
    hst_cnt = 0x02,
    hst_cmd = 0x03,
    xmit_slva = 0x04,
    hst_d0 = 0x05,
    hst_d1 = 0x06,
    host_block_db = 0x07,
    pec = 0x08,
    aux_sts = 0x0c,
    aux_ctl = 0x0d
};

namespace status {
constexpr std::uint8_t host_busy = 0x01, interrupt = 0x02, device_error = 0x04, failed = 0x10;
constexpr std::uint8_t in_use = 0x40, byte_done = 0x80;
constexpr std::uint8_t clearable = 0x9e, clearable_ich9 = 0xfe;
}  // namespace status

namespace control {
constexpr std::uint8_t interrupt_enable = 0x01, kill = 0x02, last_byte = 0x20, start = 0x40,
                       packet_error_check = 0x80;
constexpr std::uint8_t writable_piix4 = 0x1f, writable_ich9 = 0xbf;
}  // namespace control

enum Command : unsigned {
    quick,
    byte,
    byte_data,
    word_data,
    process_call_command,
    block,
    i2c_read,
    block_process
};

namespace auxiliary {
constexpr std::uint8_t crc_error = 0x01;                           // AUX_STS
constexpr std::uint8_t automatic_crc = 0x01, block_buffer = 0x02;  // AUX_CTL
}  // namespace auxiliary

constexpr std::uint8_t most_block_bytes = 32;

}  // namespace

void SmbusHost::reset_host() {
    status_ = control_ = command_ = address_ = 0;
    data_ = {};
    block_ = {};
    block_index_ = 0;
    packet_error_code_ = auxiliary_status_ = auxiliary_control_ = 0;
    slave_side_ = {};
    if (model_ == Model::Ich9) slave_side_[0x09] = 0x44;  // RCV_SLVA
    transfer_.stop();
    transfer_.begin();
    phase_ = Phase::Idle;
    failed_ = false;
    bytes_left_ = 0;
    timer_.stop();
    update();
}

// ---- Registers ----

std::uint8_t& SmbusHost::block_byte() {
    if (!uses_buffer()) return block_[0];
    std::uint8_t& value = block_[block_index_];
    block_index_ = (block_index_ + 1) % most_block_bytes;
    return value;
}

std::uint64_t SmbusHost::read(std::uint64_t offset, unsigned) {
    switch (offset) {
    case hst_sts: {
        // Who reads 0 in INUSE_STS owns the host, until it writes a one.
        const std::uint8_t value = status_;
        if (model_ == Model::Ich9) status_ |= status::in_use;
        return value;
    }
    case hst_cnt: block_index_ = 0; return control_;
    case hst_cmd: return command_;
    case xmit_slva: return address_;
    case hst_d0: return data_[0];
    case hst_d1: return data_[1];
    case host_block_db: return block_byte();
    default: break;
    }
    if (model_ == Model::Ich9) {
        if (offset == pec) return packet_error_code_;
        if (offset == aux_sts) return auxiliary_status_;
        if (offset == aux_ctl) return auxiliary_control_;
    }
    return read_slave_side(offset);
}

void SmbusHost::write(std::uint64_t offset, unsigned, std::uint64_t data) {
    const auto value = static_cast<std::uint8_t>(data);
    switch (offset) {
    case hst_sts: return write_status(value);
    case hst_cnt: return write_control(value);
    case hst_cmd: command_ = value; return;
    case xmit_slva: address_ = value; return;
    case hst_d0: data_[0] = value; return;
    case hst_d1: data_[1] = value; return;
    case host_block_db: block_byte() = value; return;
    default: break;
    }
    if (model_ == Model::Ich9) {
        if (offset == pec) packet_error_code_ = value;
        if (offset == aux_sts) auxiliary_status_ &= static_cast<std::uint8_t>(~(value & 1));
        if (offset == aux_ctl)
            auxiliary_control_ = value & (auxiliary::automatic_crc | auxiliary::block_buffer);
    }
    write_slave_side(offset, value);
}

// There is no other master on the bus, so nothing ever happens in the half that listens to one.
std::uint8_t SmbusHost::read_slave_side(std::uint64_t offset) const {
    if (model_ == Model::Ich9 && (offset == 0x0e || offset == 0x0f))
        return slave_side_[offset] | 0x03;  // clock and data are high
    return slave_side_[offset];
}

void SmbusHost::write_slave_side(std::uint64_t offset, std::uint8_t value) {
    // What can be written, by offset.
    constexpr std::array<std::uint8_t, 16> piix4{0,    0, 0,    0,    0, 0, 0, 0,
                                                 0x1f, 0, 0xff, 0xff, 0, 0, 0, 0};
    constexpr std::array<std::uint8_t, 18> ich9{0,    0, 0, 0, 0, 0,    0,    0, 0,
                                                0x7f, 0, 0, 0, 0, 0x04, 0x04, 0, 0x07};
    const auto writable = model_ == Model::Piix4 ? std::span<const std::uint8_t>{piix4} : ich9;
    if (offset < writable.size()) slave_side_[offset] = value & writable[offset];
}

void SmbusHost::write_status(std::uint8_t value) {
    const bool next = phase_ == Phase::Software && (value & status::byte_done) != 0;
    const std::uint8_t cleared = value & (model_ == Model::Ich9 ? status::clearable_ich9
                                                                : status::clearable);
    status_ &= static_cast<std::uint8_t>(~cleared);
    if (next) next_byte();
    update();
}

void SmbusHost::write_control(std::uint8_t value) {
    control_ = value & (model_ == Model::Ich9 ? control::writable_ich9 : control::writable_piix4);
    if ((control_ & control::kill) != 0)
        kill();
    else if ((value & control::start) != 0 && phase_ == Phase::Idle)
        begin();
    update();
}

void SmbusHost::update() {
    constexpr std::uint8_t reasons = status::clearable & ~status::in_use;
    set_interrupt((control_ & control::interrupt_enable) != 0 && (status_ & reasons) != 0);
}

// ---- Transfers ----

bool SmbusHost::uses_buffer() const {
    return model_ == Model::Piix4 || (auxiliary_control_ & auxiliary::block_buffer) != 0;
}

unsigned SmbusHost::command() const { return control_ >> 2 & 7; }

// Everything but block transfers that software feeds happens at once, and is told when it would be
// over.
void SmbusHost::begin() {
    ++transfers_;
    status_ |= status::host_busy;
    failed_ = false;
    block_index_ = 0;
    transfer_.begin();
    const bool is_old = model_ == Model::Piix4;
    switch (command()) {
    case quick: transfer_.start(address_ >> 1, (address_ & 1) != 0); return end();
    case byte: transfer_data(0); return end();
    case byte_data: transfer_data(1); return end();
    case word_data: transfer_data(2); return end();
    case block: return begin_block();
    case process_call_command:
        if (!is_old) process_call();
        break;
    case i2c_read:
        if (!is_old && !uses_buffer()) return begin_i2c_read();
        break;
    default:
        if (!is_old && uses_buffer()) write_block(true);
        break;
    }
    // What a chip does not know ends in an error.
    if (transfer_.bytes == 0) failed_ = true;
    end();
}

// With no data bytes the command is the only byte, or a byte is received without one.
void SmbusHost::transfer_data(unsigned bytes) {
    const bool reads = (address_ & 1) != 0;
    if (bytes == 0) {
        transfer_.start(address_ >> 1, reads);
        if (!reads)
            transfer_.write(command_);
        else if (transfer_.acknowledged)
            data_[0] = transfer_.read();
        return check_packet(reads);
    }
    transfer_.start(address_ >> 1, false);
    transfer_.write(command_);
    if (reads) transfer_.start(address_ >> 1, true);
    for (unsigned index = 0; index < bytes && transfer_.acknowledged; ++index) {
        if (reads)
            data_[index] = transfer_.read();
        else
            transfer_.write(data_[index]);
    }
    check_packet(reads);
}

void SmbusHost::process_call() {
    transfer_.start(address_ >> 1, false);
    for (const std::uint8_t value : {command_, data_[0], data_[1]})
        transfer_.write(value);
    if (transfer_.start(address_ >> 1, true))
        for (auto& value : data_)
            value = transfer_.read();
    check_packet(true);
}

void SmbusHost::begin_block() {
    const bool reads = (address_ & 1) != 0;
    if (uses_buffer()) {
        if (reads) {
            transfer_.start(address_ >> 1, false);
            transfer_.write(command_);
            read_block();
            check_packet(true);
        } else {
            write_block(false);
        }
        return end();
    }
    transfer_.start(address_ >> 1, false);
    transfer_.write(command_);
    if (reads && transfer_.start(address_ >> 1, true)) data_[0] = transfer_.read();
    bytes_left_ = data_[0];
    failed_ = bytes_left_ == 0 || bytes_left_ > most_block_bytes;
    if (failed_ || !transfer_.acknowledged) return end();
    if (!reads) transfer_.write(bytes_left_);
    next_byte();
}

void SmbusHost::write_block(bool then_read) {
    const std::uint8_t count = data_[0];
    failed_ = count == 0 || count > most_block_bytes;
    if (failed_) return;
    transfer_.start(address_ >> 1, false);
    transfer_.write(command_);
    transfer_.write(count);
    for (unsigned index = 0; index < count; ++index)
        transfer_.write(block_[index]);
    if (then_read) read_block();
    check_packet(then_read);
}

void SmbusHost::read_block() {
    if (!transfer_.start(address_ >> 1, true)) return;
    data_[0] = transfer_.read();
    failed_ = data_[0] == 0 || data_[0] > most_block_bytes;
    for (unsigned index = 0; index < data_[0] && !failed_; ++index)
        block_[index] = transfer_.read();
}

// Reads on until software says LAST_BYTE; the command of the device comes from HST_D1.
void SmbusHost::begin_i2c_read() {
    transfer_.start(address_ >> 1, false);
    transfer_.write(data_[1]);
    if (!transfer_.start(address_ >> 1, true)) return end();
    bytes_left_ = 1;
    next_byte();
}

// The next of a block that software feeds; it has dealt with the one before.
void SmbusHost::next_byte() {
    const bool is_i2c = command() == i2c_read, reads = is_i2c || (address_ & 1) != 0;
    if (bytes_left_ == 0 || !transfer_.acknowledged) {
        if (!is_i2c) check_packet(reads);
        return end();
    }
    if (!is_i2c || (control_ & control::last_byte) != 0) --bytes_left_;
    if (reads)
        block_[0] = transfer_.read();
    else
        transfer_.write(block_[0]);
    phase_ = Phase::Byte;
    timer_.start_after(transfer_.take_time());
}

// The packet error code is one more byte, which the device has to acknowledge or to send right.
void SmbusHost::check_packet(bool was_read) {
    if (model_ != Model::Ich9 || (control_ & control::packet_error_check) == 0) return;
    if (!transfer_.acknowledged || failed_) return;
    const bool automatic = (auxiliary_control_ & auxiliary::automatic_crc) != 0;
    const std::uint8_t computed = transfer_.code;
    if (!was_read) {
        transfer_.write(automatic ? computed : packet_error_code_);
        return;
    }
    packet_error_code_ = transfer_.read();
    if (!automatic || packet_error_code_ == computed) return;
    auxiliary_status_ |= auxiliary::crc_error;
    failed_ = true;
}

void SmbusHost::end() {
    transfer_.stop();
    phase_ = Phase::End;
    timer_.start_after(std::max(transfer_.take_time(), Duration{std::chrono::microseconds{10}}));
}

void SmbusHost::time_passed() {
    if (phase_ == Phase::End) {
        finish();
    } else {
        phase_ = Phase::Software;
        status_ |= status::byte_done;
    }
    update();
}

void SmbusHost::finish() {
    phase_ = Phase::Idle;
    status_ &= static_cast<std::uint8_t>(~status::host_busy);
    refused_ += !transfer_.acknowledged;
    status_ |= failed_ || !transfer_.acknowledged ? status::device_error : status::interrupt;
}

void SmbusHost::kill() {
    if (phase_ == Phase::Idle) return;
    transfer_.stop();
    timer_.stop();
    phase_ = Phase::Idle;
    status_ &= static_cast<std::uint8_t>(~status::host_busy);
    status_ |= status::failed;
}

}  // namespace backplane::chipset
