// The queued commands of AtaDisk, and what happens to the others when one of them fails. (ACS-3,
// 4.15; SATA 2.6, 13.6)
#include "ata_commands.h"
#include "ata_disk.h"

#include <bit>

namespace backplane::storage {

namespace {

constexpr std::uint8_t not_a_queued_command = 0x80;  // NQ, in the log's first byte

bool is_queued(std::uint8_t opcode) {
    return opcode == ata_command::read_fpdma_queued || opcode == ata_command::write_fpdma_queued;
}

bool reads_failure(const backplane_ata_command& command) {
    return (command.command == ata_command::read_log_ext ||
            command.command == ata_command::read_log_dma_ext) &&
           (command.lba & 0xff) == 0x10;
}

}  // namespace

bool AtaDisk::intercept_command() {
    if (!is_serial()) return false;
    if (queue_has_failed_) {
        // While it is still on its way to the host, the answer to this is the same.
        if (transfers_.is_stopping()) return true;
        if (reads_failure(command())) return false;
        fail(ata_error::abrt);
        return true;
    }
    if (is_queued(command().command) || transfers_.queued() == 0) return false;
    // A command that cannot wait its turn ends them all.
    result().error = ata_error::abrt;
    queue_fails(result(), not_a_queued_command);
    return true;
}

// Count is in the features register; the tag is in bits 3 to 7 of count.
void AtaDisk::begin_queued(DirectTransfers::Direction direction) {
    if (!is_serial()) return fail(ata_error::abrt);
    constexpr std::uint8_t force_unit_access = 0x80;
    const bool is_write = direction == DirectTransfers::Direction::FromHost;
    const unsigned tag = command().count >> 3 & 0x1f;
    const std::uint32_t count = command().features == 0 ? 0x10000u : command().features;
    const std::uint64_t first = command().lba, total = total_sectors();
    std::uint8_t error = 0;
    if ((transfers_.queued() >> tag & 1) != 0)
        error = ata_error::abrt;
    else if (first >= total || count > total - first)
        error = ata_error::idnf;
    else if (is_write && image().info().is_read_only())
        error = ata_error::wp;
    if (error != 0) {
        result().error = error;
        return queue_fails(result(), tag);
    }
    ++queued_commands_;
    wake();
    task_ = Task::None;
    const DirectTransfers::Work work{
        .direction = direction,
        .forced = is_write && ((command().device & force_unit_access) != 0 || forced_),
        .sector = first,
        .count = count};
    complete(false);
    transfers_.start(tag, work);
}

void AtaDisk::transfer_done(unsigned slot) {
    if (slot == BACKPLANE_SATA_NOT_QUEUED) {
        task_ = Task::None;
        show_address(sector_ + total_ - 1);
        return complete();
    }
    serial_host().queue_done(serial_host().user, 1u << slot, ata_status::drdy, 0);
}

void AtaDisk::transfer_failed(unsigned slot, const DirectTransfers::Failure& failure) {
    ++failures_;
    const bool is_queued = slot != BACKPLANE_SATA_NOT_QUEUED;
    const bool is_write = transfers_.direction(slot) == DirectTransfers::Direction::FromHost;
    if (!is_write) ++uncorrectable_;
    const std::uint8_t error = error_of(failure.result, is_write);
    if (!is_queued) {
        task_ = Task::None;
        show_address(failure.sector);
        result().count = static_cast<std::uint16_t>(failure.left);
        return fail(error);
    }
    if (queue_has_failed_) return;  // the first is the one that is told
    backplane_ata_result registers{};
    registers.error = error;
    registers.device = ata_device::lba;
    registers.count = static_cast<std::uint16_t>(slot << 3);
    registers.lba = failure.sector;
    queue_fails(registers, slot);
}

void AtaDisk::sectors_moved(DirectTransfers::Direction direction, std::uint32_t count) {
    (direction == DirectTransfers::Direction::FromHost ? sectors_written_ : sectors_read_) += count;
}

// Nothing is told before the image has let go of all memory that was lent: afterwards the host may
// use it for something else.
void AtaDisk::queue_fails(const backplane_ata_result& registers, unsigned tag) {
    const auto byte_of_lba = [&](unsigned byte) {
        return static_cast<std::uint8_t>(registers.lba >> (byte * 8));
    };
    queue_has_failed_ = true;
    // (ACS-3, A.14: the registers as a Register FIS has them)
    queue_failure_ = {static_cast<std::uint8_t>(tag),
                      0,
                      ata_status::drdy | ata_status::err,
                      registers.error,
                      byte_of_lba(0),
                      byte_of_lba(1),
                      byte_of_lba(2),
                      registers.device,
                      byte_of_lba(3),
                      byte_of_lba(4),
                      byte_of_lba(5),
                      0,
                      static_cast<std::uint8_t>(registers.count),
                      static_cast<std::uint8_t>(registers.count >> 8)};
    if (transfers_.stop()) tell_of_queue_failure();
}

void AtaDisk::tell_of_queue_failure() {
    if (!queue_has_failed_) return;
    transfers_.cancel();
    const std::uint8_t status = queue_failure_[2], error = queue_failure_[3];
    // A command that came meanwhile, or caused this, is answered; else there is none to answer.
    if (is_busy()) {
        task_ = Task::None;
        return fail(error);
    }
    serial_host().queue_done(serial_host().user, 0, status, error);
}

}  // namespace backplane::storage
