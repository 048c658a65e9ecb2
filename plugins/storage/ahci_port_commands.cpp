// The command list of AhciPort: from a slot to the drive, and the data and registers that come
// back. (Serial ATA AHCI 1.3.1, chapters 4 and 5)
#include "ahci_port.h"
#include "ata_registers.h"

#include <algorithm>
#include <bit>
#include <cstddef>

namespace backplane::storage {

using namespace ahci;

namespace {

std::uint64_t address(std::uint32_t low, std::uint32_t high) {
    return low | std::uint64_t{high} << 32;
}

}  // namespace

bool AhciPort::is_processing() const {
    return (at(PxCMD) & port_command::cr) != 0 && !has_halted_ && is_present_ &&
           memory_->is_master();
}

void AhciPort::run() {
    if (is_running_) return;
    is_running_ = true;
    while (is_processing() && step()) {
    }
    is_running_ = false;
}

// One thing after another, however they follow from each other: a drive may begin what comes next
// from within what it is told.
bool AhciPort::step() {
    if (phase_.transfer != 0) {
        move_phase();
        return true;
    }
    if ((at(PxTFD) & (ata_status::bsy | ata_status::drq)) != 0 || at(PxCI) == 0) return false;
    issue(next_slot());
    return true;
}

// In turn, from the one behind the last. (5.3.3: P:SelectCmd)
std::uint8_t AhciPort::next_slot() const {
    const unsigned last = (at(PxCMD) & port_command::ccs) >> port_command::ccs_shift;
    const auto from_next = std::rotr(at(PxCI), static_cast<int>((last + 1) % 32));
    return static_cast<std::uint8_t>(
        (static_cast<unsigned>(std::countr_zero(from_next)) + last + 1) % 32);
}

CommandHeader AhciPort::header(unsigned slot) const {
    CommandHeader header{};
    const std::uint64_t list = address(at(PxCLB), at(PxCLBU));
    (void)memory_->read(list + slot * sizeof header, std::as_writable_bytes(std::span{&header, 1}));
    return header;
}

AhciRegions& AhciPort::regions(unsigned tag, unsigned slot) {
    const CommandHeader command = header(slot);
    AhciRegions& regions = regions_[tag];
    regions.use(*memory_, command.table_address() + table_regions, command.regions());
    return regions;
}

void AhciPort::issue(std::uint8_t slot) {
    ++commands_;
    at(PxCMD) = (at(PxCMD) & ~port_command::ccs) | std::uint32_t{slot} << port_command::ccs_shift;
    current_ = slot;
    transferred_ = 0;
    for (AhciRegions* regions : {&regions_[slot], &regions_[BACKPLANE_SATA_NOT_QUEUED]})
        if (!regions->is_lent()) regions->forget();
    // A link that rests wakes up.
    at(PxSSTS) = (at(PxSSTS) & ~link::ipm) | link::active << link::ipm_shift;

    const CommandHeader command_header = header(slot);
    RegisterToDevice fis;
    const std::size_t length = (command_header.flags & CommandHeader::fis_length) * 4u;
    const auto bytes = std::span{fis.bytes}.first(std::min(length, fis.bytes.size()));
    (void)memory_->read(command_header.table_address(), std::as_writable_bytes(bytes));
    if (length < 16 || length > 64 || fis.bytes[0] != fis_type::to_device) return fail_link();

    at(PxTFD) |= ata_status::bsy;
    fis.is_command() ? command(fis) : control(fis);
    if ((command_header.flags & CommandHeader::clear_busy) == 0) return;
    at(PxTFD) &= ~std::uint32_t{ata_status::bsy};
    if (current_ == slot) finish_slot();
}

// A device takes no other FIS from a command list, and says so.
void AhciPort::fail_link() {
    has_halted_ = true;
    error(port_error::h);
    raise(port_interrupt::ifs);
}

void AhciPort::control(const RegisterToDevice& fis) {
    const bool was_in_reset = is_in_reset_;
    is_in_reset_ = (fis.control() & device_control::srst) != 0;
    if (is_in_reset_ == was_in_reset) return;
    if (is_in_reset_) {
        phase_ = {};
        call_drive<&backplane_ata_drive::reset>(std::uint32_t{BACKPLANE_ATA_RESET_SOFTWARE},
                                                &signature_);
        return;
    }
    signature_.interrupt = 0;
    receive_registers(signature_);
    finish_slot();
}

void AhciPort::command(const RegisterToDevice& fis) {
    if (is_in_reset_) return;  // nobody listens
    backplane_ata_command registers = fis.command();
    constexpr std::uint8_t first_queued = 0x60, last_queued = 0x65;
    if (registers.command >= first_queued && registers.command <= last_queued)
        registers.tag = registers.count >> 3 & 0x1f;
    call_drive<&backplane_ata_drive::execute>(&registers);
}

// ---- What comes from the drive

void AhciPort::phase_begins(const backplane_ata_phase& phase) {
    if (phase.length == 0 || phase.length > buffer_.size() ||
        phase.offset > buffer_.size() - phase.length)
        return;
    phase_ = phase;
    run();
}

void AhciPort::command_completes(const backplane_ata_result& result) {
    phase_ = {};
    // After PIO to the host the last PIO Setup FIS has told everything. (SATA 2.6, 11.8)
    if (is_moving_ && result.interrupt == 0) {
        has_ended_ = true;
        signature_waits_ = false;
        set_task_file(result.status, result.error);
        return;
    }
    receive_registers(result);
    if ((result.status & ata_status::err) == 0) finish_slot();
    run();
}

void AhciPort::receive_registers(const backplane_ata_result& result) {
    receive(received_register, register_to_host(result));
    set_task_file(result.status, result.error);
    std::uint32_t interrupt = result.interrupt != 0 ? port_interrupt::dhrs : 0;
    if ((result.status & ata_status::err) != 0) {
        has_halted_ = true;
        interrupt |= port_interrupt::tfes;
    }
    if (interrupt != 0) raise(interrupt);
}

// The command of the current slot has ended, or, if it is queued, been taken.
void AhciPort::finish_slot() {
    if (current_ == no_slot) return;
    const std::uint64_t list = address(at(PxCLB), at(PxCLBU));
    const auto count = static_cast<std::uint32_t>(transferred_);
    (void)memory_->write(list + current_ * sizeof(CommandHeader) +
                             offsetof(CommandHeader, transferred),
                         std::as_bytes(std::span{&count, 1}));
    at(PxCI) &= ~(1u << current_);
    current_ = no_slot;
}

void AhciPort::receive(std::uint64_t place, std::span<const std::uint8_t> fis) const {
    if ((at(PxCMD) & port_command::fre) == 0) return;
    (void)memory_->write(address(at(PxFB), at(PxFBU)) + place, std::as_bytes(fis));
}

// ---- Data by way of the drive's buffer

std::size_t AhciPort::move_data(AhciRegions::Direction direction) {
    AhciRegions& memory = regions(BACKPLANE_SATA_NOT_QUEUED, current_);
    const std::size_t moved = memory.copy(transferred_,
                                          buffer_.subspan(phase_.offset, phase_.length), direction);
    transferred_ += moved;
    if (memory.take_interrupt()) raise(port_interrupt::dps);
    return moved;
}

bool AhciPort::take_packet() {
    const CommandHeader command_header = header(current_);
    return memory_->read(command_header.table_address() + table_packet,
                         std::as_writable_bytes(buffer_.subspan(phase_.offset, phase_.length)));
}

void AhciPort::move_phase() {
    if (current_ == no_slot) {
        phase_ = {};
        return;
    }
    const backplane_ata_phase phase = phase_;
    const bool to_host = phase.transfer == BACKPLANE_ATA_PIO_IN ||
                         phase.transfer == BACKPLANE_ATA_DMA_IN;
    const bool is_pio = phase.transfer != BACKPLANE_ATA_DMA_IN &&
                        phase.transfer != BACKPLANE_ATA_DMA_OUT;
    constexpr std::uint8_t busy = ata_status::bsy | ata_status::drdy;
    bool is_moved = false;
    if (phase.transfer == BACKPLANE_ATA_PACKET) {
        is_moved = take_packet();
    } else {
        const auto direction = to_host ? AhciRegions::Direction::ToMemory
                                       : AhciRegions::Direction::FromMemory;
        is_moved = move_data(direction) == phase.length;
    }
    phase_ = {};
    if (!is_moved) {
        // More data than memory: until a COMRESET nothing more can come of it. (6.1.5)
        has_halted_ = true;
        return raise(port_interrupt::ofs);
    }
    set_task_file(busy, 0);
    if (is_pio && !to_host) {
        receive(received_pio_setup, pio_setup(phase.result, false, phase.length, busy));
        if (phase.result.interrupt != 0) raise(port_interrupt::pss);
    }
    is_moving_ = is_pio && to_host;
    has_ended_ = false;
    call_drive<&backplane_ata_drive::transferred>();
    is_moving_ = false;
    if (!is_pio || !to_host) return;
    // What the status is afterwards is known only now.
    const auto after = static_cast<std::uint8_t>(has_ended_ ? at(PxTFD) & 0xff : busy);
    receive(received_pio_setup, pio_setup(phase.result, true, phase.length, after));
    if (has_ended_) finish_slot();
    if (phase.result.interrupt != 0) raise(port_interrupt::pss);
}

// ---- Data where it is

bool AhciPort::lend(std::uint32_t tag, std::uint64_t offset, std::uint64_t length, bool to_host,
                    backplane_sata_loan& loan) {
    if (!is_processing()) return false;
    const bool is_queued = tag < BACKPLANE_SATA_TAGS;
    if (tag > BACKPLANE_SATA_NOT_QUEUED || (!is_queued && current_ == no_slot)) return false;
    AhciRegions& memory = regions(tag, is_queued ? tag : current_);
    const std::uint64_t lent = memory.lend(offset, length,
                                           to_host ? AhciRegions::Direction::ToMemory
                                                   : AhciRegions::Direction::FromMemory);
    if (lent == 0) {
        has_halted_ = true;
        raise(port_interrupt::ofs);
        return false;
    }
    if (is_queued) receive(received_dma_setup, dma_setup(tag, to_host, offset, length));
    loan.segment_count = static_cast<std::uint32_t>(memory.lent().size());
    loan.segments = memory.lent().data();
    loan.length = lent;
    return true;
}

void AhciPort::take_back(std::uint32_t tag, std::uint64_t moved) {
    if (tag > BACKPLANE_SATA_NOT_QUEUED) return;
    AhciRegions& memory = regions_[tag];
    memory.take_back(moved);
    if (tag == BACKPLANE_SATA_NOT_QUEUED) transferred_ += moved;
    if (memory.take_interrupt()) raise(port_interrupt::dps);
}

void AhciPort::queue_done(std::uint32_t done, std::uint32_t status, std::uint32_t error_register) {
    // BSY and DRQ are not in a Set Device Bits FIS. (SATA 2.6, 10.3.6)
    constexpr std::uint32_t kept = ata_status::bsy | ata_status::drq;
    receive(received_set_device_bits,
            set_device_bits(done, static_cast<std::uint8_t>(status & ~kept),
                            static_cast<std::uint8_t>(error_register)));
    set_task_file((at(PxTFD) & kept) | (status & ~kept & 0xff), error_register & 0xff);
    at(PxSACT) &= ~done;
    std::uint32_t interrupt = port_interrupt::sdbs;
    if ((status & ata_status::err) != 0) {
        has_halted_ = true;
        interrupt |= port_interrupt::tfes;
    }
    raise(interrupt);
    run();
}

}  // namespace backplane::storage
