#include "ata_drive.h"

#include "ata_commands.h"

#include <algorithm>
#include <bit>
#include <chrono>

namespace backplane::storage {

using namespace std::chrono_literals;

namespace {

// A host may know fewer functions than this drive, or more.
template <class Host>
void copy_known(Host& copy, const Host* host) {
    copy = {};
    std::copy_n(reinterpret_cast<const std::byte*>(host),
                std::min<std::size_t>(host->struct_size, sizeof copy),
                reinterpret_cast<std::byte*>(&copy));
}

}  // namespace

void AtaDrive::attach(const backplane_ata_host* host) { copy_known(host_, host); }

void AtaDrive::attach_serial(const backplane_sata_host* host) {
    copy_known(serial_host_, host);
    attached();
}

std::uint8_t* AtaDrive::buffer(std::uint32_t* size) {
    *size = is_present() ? buffer_size : 0;
    return is_present() ? buffer_.data() : nullptr;
}

void AtaDrive::execute(const backplane_ata_command* command) {
    // Asleep, only a reset is heard. (ATA/ATAPI-6, 6.9.2)
    if (power_ == Power::Sleep) {
        if (command->command != ata_command::device_reset) return;
        power_ = Power::Standby;
    }
    if (is_busy_) {
        if (command->command != ata_command::device_reset) return;
        transfer_.cancel(image_);
        access_timer_.stop();
        io_ = Io::None;
    }
    command_ = *command;
    result_ = {.status = 0,
               .error = 0,
               .device = static_cast<std::uint8_t>(command->device & 0xf),
               .interrupt = 0,
               .count = command->count,
               .reserved = 0,
               .lba = command->lba};
    is_busy_ = true;
    if (intercept_command()) return;
    if (command_.command == ata_command::execute_device_diagnostic) return show_signature(true);
    if (!run_power_command()) begin_command();
}

void AtaDrive::transferred() {
    if (is_busy_ && io_ == Io::None) phase_done();
}

void AtaDrive::begin_phase(std::uint32_t transfer, std::size_t offset, std::size_t length,
                           bool interrupt) {
    result_.status = ata_status::drdy | ata_status::dsc | ata_status::drq;
    result_.interrupt = interrupt;
    const backplane_ata_phase phase{sizeof phase, transfer, static_cast<std::uint32_t>(offset),
                                    static_cast<std::uint32_t>(length), result_};
    if (host_.transfer != nullptr) host_.transfer(host_.user, &phase);
}

void AtaDrive::complete(bool interrupt) {
    is_busy_ = false;
    result_.status = ata_status::drdy | ata_status::dsc |
                     (result_.error != 0 ? ata_status::err : std::uint8_t{0});
    result_.interrupt = interrupt;
    if (host_.complete != nullptr) host_.complete(host_.user, &result_);
}

void AtaDrive::fail(std::uint8_t error) {
    result_.error = error;
    complete();
}

void AtaDrive::start_command_io(BlockOperation operation, std::uint64_t offset,
                                std::uint64_t length, std::size_t place, std::uint32_t flags) {
    wake();
    if (access_time_ == 0ns) return run_io(start_io(operation, offset, length, place, flags));
    io_ = Io::Waiting;
    io_operation_ = operation;
    io_offset_ = offset, io_length_ = length, io_place_ = place;
    io_flags_ = flags;
    access_timer_.start_after(access_time_);
}

BlockResult AtaDrive::start_io(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                               std::size_t place, std::uint32_t flags) {
    io_ = Io::Submitted;
    io_operation_ = operation;
    io_offset_ = offset, io_length_ = length, io_place_ = place;
    io_flags_ = flags;
    const bool has_data = operation == BlockOperation::Read || operation == BlockOperation::Write;
    auto* data = has_data ? reinterpret_cast<std::byte*>(buffer_.data()) + place : nullptr;
    return transfer_.start(*this, image_, operation, offset, length, data, flags);
}

void AtaDrive::submit_waiting() {
    if (io_ == Io::Waiting)
        run_io(start_io(io_operation_, io_offset_, io_length_, io_place_, io_flags_));
}

void AtaDrive::run_io(BlockResult result) {
    while (result != BlockResult::Pending) {
        io_ = Io::None;
        result = io_done(result);
    }
}

void AtaDrive::io_arrived(BlockResult result) { run_io(result); }

// A request that was in flight is made again, once everybody else is restored too. It may have been
// carried out before; carried out twice it gives the same.
void AtaDrive::restored() {
    transfer_.cancel(image_);
    if (io_ != Io::Submitted) return;
    host().post(
        host().context,
        [](void* self) noexcept {
            auto& drive = *static_cast<AtaDrive*>(self);
            if (drive.io_ == Io::Submitted && !drive.transfer_.is_pending())
                drive.run_io(drive.start_io(drive.io_operation_, drive.io_offset_, drive.io_length_,
                                            drive.io_place_, drive.io_flags_));
        },
        this);
}

backplane_ata_result AtaDrive::signature_result() const {
    return {.status = idle_status(),
            .error = diagnostic_passed,
            .device = 0,
            .interrupt = 0,
            .count = 1,
            .reserved = 0,
            .lba = signature()};
}

void AtaDrive::show_signature(bool interrupt) {
    is_busy_ = false;
    result_ = signature_result();
    result_.interrupt = interrupt;
    if (host_.complete != nullptr) host_.complete(host_.user, &result_);
}

void AtaDrive::reset_drive(std::uint32_t kind, backplane_ata_result* result) {
    reset_all(kind);
    *result = signature_result();
}

void AtaDrive::reset_all(std::uint32_t kind) {
    transfer_.cancel(image_);
    access_timer_.stop();
    io_ = Io::None;
    is_busy_ = false;
    command_ = {};
    result_ = {};
    if (kind == BACKPLANE_ATA_RESET_HARDWARE) {
        standby_timer_.stop();
        standby_period_ = 0;
        reset_transfer_mode();
        power_ = Power::Active;
    } else if (power_ == Power::Sleep) {
        power_ = Power::Standby;  // ATA/ATAPI-6, 6.9.1
    }
    reset_command(kind);
}

// The fastest mode of each kind is preset, as a BIOS would.
void AtaDrive::reset_transfer_mode() {
    multiword_ = 0;
    ultra_ = 1 << 5;
}

void AtaDrive::set_transfer_mode() {
    const auto mode = static_cast<std::uint8_t>(command_.count);
    const std::uint8_t number = mode & 7;
    switch (mode >> 3) {
    case 0:  // PIO default mode, without IORDY too
        if (number > 1) break;
        return complete();
    case 1:  // PIO flow control modes 0 to 4
        if (number > 4) break;
        return complete();
    case 4:
        if (number > 2) break;
        multiword_ = static_cast<std::uint8_t>(1 << number);
        ultra_ = 0;
        return complete();
    case 8:
        if (number > 5) break;
        ultra_ = static_cast<std::uint8_t>(1 << number);
        multiword_ = 0;
        return complete();
    default: break;
    }
    fail(ata_error::abrt);
}

std::uint64_t AtaDrive::power_on_hours() const {
    return static_cast<std::uint64_t>(now() / std::chrono::hours{1});
}

// A serial drive has no cable of 40 or 80 conductors, and says how fast its link may be. (ACS-3,
// 7.12.7: words 76, 77, 93 and 222)
void AtaDrive::identify_cable(IdentifyData& data) const {
    if (!is_serial()) {
        data[93] = 0x600b;  // 80-conductor cable, as far as device 0 can tell
        return;
    }
    data[76] = 0x0206;   // 1.5 and 3 Gbit/s; the host may ask for Partial and Slumber
    data[222] = 0x101f;  // SATA 2.5 and before
}

void AtaDrive::wake() {
    power_ = Power::Active;
    start_standby_timer();
}

// ATA/ATAPI-6, table 26: the periods of the standby timer.
void AtaDrive::start_standby_timer() {
    Duration period = 0s;
    if (standby_period_ >= 1 && standby_period_ <= 240)
        period = standby_period_ * 5s;
    else if (standby_period_ >= 241 && standby_period_ <= 251)
        period = (standby_period_ - 240) * 30min;
    else if (standby_period_ == 252)
        period = 21min;
    else if (standby_period_ >= 253 && standby_period_ <= 254)
        period = 8h;
    else if (standby_period_ == 255)
        period = 21min + 15s;
    period == 0s ? standby_timer_.stop() : standby_timer_.start_after(period);
}

bool AtaDrive::run_power_command() {
    std::uint8_t opcode = command_.command;
    // The codes of ATA-1 to 3.
    if (opcode >= 0x94 && opcode <= 0x97)
        opcode = static_cast<std::uint8_t>(opcode - 0x94 + ata_command::standby_immediate);
    if (opcode == 0x98) opcode = ata_command::check_power_mode;
    if (opcode == 0x99) opcode = ata_command::sleep;
    switch (opcode) {
    case ata_command::standby:
    case ata_command::idle:
        standby_period_ = static_cast<std::uint8_t>(command_.count);
        start_standby_timer();
        [[fallthrough]];
    case ata_command::standby_immediate:
    case ata_command::idle_immediate:
        power_ = opcode == ata_command::standby || opcode == ata_command::standby_immediate
                     ? Power::Standby
                     : Power::Idle;
        break;
    case ata_command::check_power_mode: {
        constexpr std::array<std::uint8_t, 4> modes{0xff, 0x80, 0x00, 0x00};
        result_.count = modes[static_cast<std::size_t>(power_)];
        break;
    }
    case ata_command::sleep: power_ = Power::Sleep; break;
    default: return false;
    }
    complete();
    return true;
}

}  // namespace backplane::storage
