// The commands of AtaDisk that use the medium. Data goes through the drive's buffer in batches:
// what is read from the image at once is offered to the host block by block, and what the host gave
// block by block is written at once. DMA to a controller that lends memory needs no buffer. When a
// batch fails it is tried again sector by sector, so that the host learns which sector it is and
// gets all before it.
#include "ata_commands.h"
#include "ata_disk.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage {

bool AtaDisk::begin_transfer() {
    using enum AddressWidth;
    forced_ = !write_cache_;
    switch (command().command) {
    case ata_command::read_sectors:
    case ata_command::read_sectors_without_retry:
        begin_sectors(Task::Read, Bits28, Protocol::Pio);
        return true;
    case ata_command::read_sectors_ext:
        begin_sectors(Task::Read, Bits48, Protocol::Pio);
        return true;
    case ata_command::read_multiple: begin_multiple(Task::Read, Bits28); return true;
    case ata_command::read_multiple_ext: begin_multiple(Task::Read, Bits48); return true;
    case ata_command::read_dma:
    case ata_command::read_dma_without_retry:
        begin_sectors(Task::Read, Bits28, Protocol::Dma);
        return true;
    case ata_command::read_dma_ext: begin_sectors(Task::Read, Bits48, Protocol::Dma); return true;
    case ata_command::write_sectors:
    case ata_command::write_sectors_without_retry:
        begin_sectors(Task::Write, Bits28, Protocol::Pio);
        return true;
    case ata_command::write_sectors_ext:
        begin_sectors(Task::Write, Bits48, Protocol::Pio);
        return true;
    case ata_command::write_multiple: begin_multiple(Task::Write, Bits28); return true;
    case ata_command::write_multiple_fua_ext: forced_ = true; [[fallthrough]];
    case ata_command::write_multiple_ext: begin_multiple(Task::Write, Bits48); return true;
    case ata_command::write_dma:
    case ata_command::write_dma_without_retry:
        begin_sectors(Task::Write, Bits28, Protocol::Dma);
        return true;
    case ata_command::write_dma_fua_ext: forced_ = true; [[fallthrough]];
    case ata_command::write_dma_ext: begin_sectors(Task::Write, Bits48, Protocol::Dma); return true;
    case ata_command::read_verify_sectors:
    case ata_command::read_verify_sectors_without_retry:
        begin_sectors(Task::Verify, Bits28, Protocol::Pio);
        return true;
    case ata_command::read_verify_sectors_ext:
        begin_sectors(Task::Verify, Bits48, Protocol::Pio);
        return true;
    case ata_command::flush_cache:
    case ata_command::flush_cache_ext:
        ++flushes_;
        task_ = Task::Flush;
        start_command_io(BlockOperation::Flush, 0, 0);
        return true;
    case ata_command::data_set_management: begin_trim(); return true;
    case ata_command::read_fpdma_queued:
        begin_queued(DirectTransfers::Direction::ToHost);
        return true;
    case ata_command::write_fpdma_queued:
        begin_queued(DirectTransfers::Direction::FromHost);
        return true;
    case ata_command::read_buffer:
        task_ = Task::SendBuffer;
        begin_phase(BACKPLANE_ATA_PIO_IN, 0, sector_size, true);
        return true;
    case ata_command::write_buffer:
        task_ = Task::TakeBuffer;
        begin_phase(BACKPLANE_ATA_PIO_OUT, 0, sector_size, false);
        return true;
    default: return false;
    }
}

void AtaDisk::begin_multiple(Task task, AddressWidth width) {
    if (multiple_ == 0) return fail(ata_error::abrt);
    begin_sectors(task, width, Protocol::Pio, multiple_);
}

void AtaDisk::begin_sectors(Task task, AddressWidth width, Protocol protocol, std::uint32_t block) {
    task_ = task;
    width_ = width;
    protocol_ = protocol;
    block_ = block;
    is_single_ = false;
    batch_ = moved_ = written_ = 0;
    const auto range = addressed_sectors(command(), width, translation_);
    if (!range) return fail(ata_error::idnf);
    const std::uint64_t total = total_sectors();
    if (range->first >= total || range->count > total - range->first) {
        show_address(std::max(range->first, total));
        return fail(ata_error::idnf);
    }
    sector_ = range->first;
    total_ = left_ = range->count;
    if (task == Task::Write && image().info().is_read_only()) return fail(ata_error::wp);
    if (protocol == Protocol::Dma && is_serial()) {
        using enum DirectTransfers::Direction;
        task_ = Task::Direct;
        wake();
        return transfers_.start(BACKPLANE_SATA_NOT_QUEUED,
                                {.direction = task == Task::Write ? FromHost : ToHost,
                                 .forced = task == Task::Write && forced_,
                                 .sector = sector_,
                                 .count = total_});
    }
    if (task == Task::Write) return begin_write_batch();
    begin_read();
}

void AtaDisk::begin_read() {
    batch_ = std::min(left_, sectors_in_buffer);
    start_command_io(BlockOperation::Read, sector_ * sector_size,
                     std::uint64_t{batch_} * sector_size);
}

BlockResult AtaDisk::read_more() {
    batch_ = is_single_ ? 1 : std::min(left_, sectors_in_buffer);
    return start_io(BlockOperation::Read, sector_ * sector_size,
                    std::uint64_t{batch_} * sector_size);
}

void AtaDisk::begin_write_batch() {
    batch_ = std::min(left_, sectors_in_buffer);
    moved_ = written_ = 0;
    // The host is not interrupted for the first block: it has just given the command.
    offer_block(!is_first_batch());
}

void AtaDisk::offer_block(bool interrupt) {
    const std::uint32_t count = protocol_ == Protocol::Dma ? batch_
                                                           : std::min(block_, batch_ - moved_);
    const bool in = task_ != Task::Write;
    const std::uint32_t transfer = protocol_ == Protocol::Dma
                                       ? (in ? BACKPLANE_ATA_DMA_IN : BACKPLANE_ATA_DMA_OUT)
                                       : (in ? BACKPLANE_ATA_PIO_IN : BACKPLANE_ATA_PIO_OUT);
    begin_phase(transfer, std::size_t{moved_} * sector_size, std::size_t{count} * sector_size,
                interrupt && protocol_ == Protocol::Pio);
}

void AtaDisk::phase_done() {
    switch (task_) {
    case Task::SendBuffer: return complete(false);
    case Task::SendPages:
        moved_ += protocol_ == Protocol::Dma ? batch_ : 1;
        if (moved_ < batch_) return offer_block(true);
        return complete(protocol_ == Protocol::Dma);
    case Task::TakeBuffer: return complete();
    case Task::Trim: moved_ = 0; return run_io(trim_more());
    case Task::Read:
    case Task::Write: break;
    default: return;
    }
    moved_ += protocol_ == Protocol::Dma ? batch_ : std::min(block_, batch_ - moved_);
    if (moved_ < batch_) return offer_block(true);
    if (task_ == Task::Write)
        return is_first_batch()
                   ? start_command_io(BlockOperation::Write, sector_ * sector_size,
                                      std::uint64_t{batch_} * sector_size, 0, write_flags())
                   : run_io(write_out());
    if (left_ != 0) return run_io(read_more());
    show_address(sector_ - 1);
    // The host has the last data already, and of PIO was interrupted for it.
    complete(protocol_ == Protocol::Dma);
}

BlockResult AtaDisk::write_out() {
    const std::uint32_t count = is_single_ ? 1 : batch_ - written_;
    return start_io(BlockOperation::Write, sector_ * sector_size,
                    std::uint64_t{count} * sector_size, std::size_t{written_} * sector_size,
                    write_flags());
}

BlockResult AtaDisk::io_done(BlockResult result) {
    if (result != BlockResult::Ok) return after_failure(result);
    switch (task_) {
    case Task::Read:
    case Task::Write:
    case Task::Verify: return sectors_done();
    case Task::Trim: return trim_more();
    default: return finish_task();
    }
}

BlockResult AtaDisk::sectors_done() {
    const std::uint32_t count = task_ == Task::Write ? (is_single_ ? 1 : batch_ - written_)
                                                     : batch_;
    sector_ += count;
    left_ -= count;
    (task_ == Task::Write ? sectors_written_ : sectors_read_) += count;
    if (task_ == Task::Verify) {
        if (left_ != 0) return read_more();
        show_address(sector_ - 1);
        return finish_task();
    }
    if (task_ == Task::Read) {
        moved_ = 0;
        offer_block(true);
        return BlockResult::Pending;
    }
    written_ += count;
    if (written_ < batch_) return write_out();
    if (left_ != 0) {
        begin_write_batch();
        return BlockResult::Pending;
    }
    show_address(sector_ - 1);
    return finish_task();
}

BlockResult AtaDisk::finish_task() {
    complete();
    return BlockResult::Pending;
}

BlockResult AtaDisk::after_failure(BlockResult failure) {
    const bool has_sectors = task_ == Task::Read || task_ == Task::Write || task_ == Task::Verify;
    const std::uint32_t tried = task_ == Task::Write ? batch_ - written_ : batch_;
    if (has_sectors && !is_single_ && tried > 1) {
        is_single_ = true;
        return task_ == Task::Write ? write_out() : read_more();
    }
    ++failures_;
    if (!has_sectors) {
        fail(ata_error::abrt);
        return BlockResult::Pending;
    }
    show_address(sector_);
    result().count = static_cast<std::uint16_t>(left_);
    if (task_ != Task::Write) ++uncorrectable_;
    fail(error_of(failure, task_ == Task::Write));
    return BlockResult::Pending;
}

std::uint8_t AtaDisk::error_of(BlockResult failure, bool is_write) const {
    if (failure == BlockResult::Invalid) return ata_error::idnf;  // the image has shrunk
    if (!is_write) return ata_error::unc;
    return failure == BlockResult::ReadOnly ? ata_error::wp : ata_error::abrt;
}

// ---- DATA SET MANAGEMENT (ACS-2, 7.10): blocks of 64 ranges, each 48 bits of LBA and 16 of length

void AtaDisk::begin_trim() {
    constexpr std::uint16_t trim_bit = 1;
    const BlockInfo info = image().info();
    if ((command().features & trim_bit) == 0 || command().count == 0 ||
        command().count > sectors_in_buffer || !trim_ || !info.can_discard() || info.is_read_only())
        return fail(ata_error::abrt);
    task_ = Task::Trim;
    batch_ = command().count;
    begin_phase(BACKPLANE_ATA_DMA_OUT, 0, std::size_t{batch_} * sector_size, false);
}

BlockResult AtaDisk::trim_more() {
    const std::uint32_t ranges = batch_ * sector_size / 8;
    while (moved_ < ranges) {
        std::uint64_t entry = 0;
        std::memcpy(&entry, bytes().data() + std::size_t{moved_++} * 8, sizeof entry);
        const std::uint64_t first = entry & 0xffff'ffff'ffff, count = entry >> 48;
        if (count == 0) continue;
        if (first >= total_sectors() || count > total_sectors() - first) {
            fail(ata_error::idnf);
            return BlockResult::Pending;
        }
        return start_io(BlockOperation::Discard, first * sector_size, count * sector_size);
    }
    return finish_task();
}

}  // namespace backplane::storage
