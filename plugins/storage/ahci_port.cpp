#include "ahci_port.h"

#include "ata_registers.h"

#include <algorithm>
#include <cstring>

namespace backplane::storage {

using namespace ahci;

namespace {

constexpr std::uint32_t no_device_status = 0x7f, no_signature = 0xffffffff;

}  // namespace

void AhciPort::start(Adapter& adapter, AhciMemory& memory) {
    adapter_ = &adapter;
    memory_ = &memory;
    regions_.resize(BACKPLANE_SATA_TAGS + 1);
    if (drive_) attach();
}

void AhciPort::attach() {
    const backplane_ata_host host{sizeof host, 0,
                                  [](void* user, const backplane_ata_phase* phase) noexcept {
                                      static_cast<AhciPort*>(user)->phase_begins(*phase);
                                  },
                                  [](void* user, const backplane_ata_result* result) noexcept {
                                      static_cast<AhciPort*>(user)->command_completes(*result);
                                  },
                                  this};
    const backplane_sata_host serial_host{
        sizeof serial_host,
        0,
        [](void* user, std::uint32_t tag, std::uint64_t offset, std::uint64_t length,
           std::int32_t to_host, backplane_sata_loan* loan) noexcept -> std::int32_t {
            return static_cast<AhciPort*>(user)->lend(tag, offset, length, to_host != 0, *loan);
        },
        [](void* user, std::uint32_t tag, std::uint64_t moved) noexcept {
            static_cast<AhciPort*>(user)->take_back(tag, moved);
        },
        [](void* user, std::uint32_t done, std::uint32_t status, std::uint32_t error) noexcept {
            static_cast<AhciPort*>(user)->queue_done(done, status, error);
        },
        [](void* user) noexcept { static_cast<AhciPort*>(user)->presence_changed(); },
        this};
    drive_.call<&backplane_sata_drive::attach>(&serial_host);
    call_drive<&backplane_ata_drive::attach>(&host);
}

void AhciPort::reset(Addresses addresses) {
    const auto before = registers_;
    registers_ = {};
    if (addresses == Addresses::Keep)
        std::copy_n(before.begin(), 4, registers_.begin());  // PxCLB to PxFBU
    // Drives spin up by themselves, and have power.
    at(PxCMD) = port_command::sud | port_command::pod | port_command::hpcp;
    at(PxTFD) = no_device_status;
    at(PxSIG) = no_signature;
    reset_device();
    link_up();
}

// Loans are made again by the drive, which asks its image again.
void AhciPort::restored() {
    for (AhciRegions& regions : regions_)
        regions.forget();
    buffer_ = {};
    if (drive_ && drive_.call<&backplane_sata_drive::is_present>() != 0) {
        std::uint32_t size = 0;
        std::uint8_t* const place = call_drive<&backplane_ata_drive::buffer>(&size);
        buffer_ = {place, size};
    }
    if (phase_.length > buffer_.size() || phase_.offset > buffer_.size() - phase_.length)
        phase_ = {};
}

void AhciPort::stop() {
    if (is_present_) drive_.call<&backplane_sata_drive::halt>();
}

// ---- Registers

std::uint32_t AhciPort::interrupts() const {
    std::uint32_t value = at(PxIS);
    if ((at(PxSERR) & port_error::x) != 0) value |= port_interrupt::pcs;
    if ((at(PxSERR) & port_error::n) != 0) value |= port_interrupt::prcs;
    return value;
}

std::uint32_t AhciPort::read(std::uint64_t offset) const {
    if (offset == PxIS) return interrupts();
    return at(offset);
}

void AhciPort::raise(std::uint32_t interrupt) {
    at(PxIS) |= interrupt;
    adapter_->port_interrupt_changed();
}

void AhciPort::error(std::uint32_t bits) {
    at(PxSERR) |= bits;
    adapter_->port_interrupt_changed();
}

void AhciPort::write(std::uint64_t offset, std::uint32_t value, std::uint32_t mask) {
    const std::uint32_t covered = value & mask, merged = (at(offset) & ~mask) | covered;
    const bool is_started = (at(PxCMD) & port_command::st) != 0;
    switch (offset) {
    case PxCLB: at(offset) = merged & ~0x3ffu; return;
    case PxFB: at(offset) = merged & ~0xffu; return;
    case PxCLBU:
    case PxFBU: at(offset) = merged; return;
    case PxIS:
        at(offset) &= ~(covered & port_interrupt::cleared_by_ones);
        return adapter_->port_interrupt_changed();
    case PxIE:
        at(offset) = merged & port_interrupt::enables;
        return adapter_->port_interrupt_changed();
    case PxCMD: return write_command(merged);
    case PxSCTL: return write_link_control(merged & link::control_bits);
    case PxSERR: at(offset) &= ~covered; return adapter_->port_interrupt_changed();
    case PxSACT:
        if (is_started) at(offset) |= covered;
        return;
    case PxCI:
        if (is_started) at(offset) |= covered;
        return run();
    default: return;
    }
}

void AhciPort::write_command(std::uint32_t value) {
    using namespace port_command;
    const std::uint32_t before = at(PxCMD);
    constexpr std::uint32_t writable = st | fre | preferences;
    at(PxCMD) = (before & ~writable) | (value & writable);
    const std::uint32_t risen = at(PxCMD) & ~before, fallen = before & ~at(PxCMD);
    // Only while the list is not being processed. (3.3.7)
    if ((value & clo) != 0 && (before & st) == 0)
        at(PxTFD) &= ~std::uint32_t{ata_status::bsy | ata_status::drq};
    if ((fallen & st) != 0) stop_list();
    if ((risen & fre) != 0) {
        at(PxCMD) |= fr;
        if (std::exchange(signature_waits_, false))
            receive(received_register, register_to_host(signature_));
    }
    if ((fallen & fre) != 0) at(PxCMD) &= ~fr;
    if ((risen & st) != 0) process_list();
    if ((value & icc) != 0) change_link_power(value >> icc_shift);
}

// The list needs a place to put what comes back. (3.3.7: ST)
void AhciPort::process_list() {
    if ((at(PxCMD) & port_command::fre) == 0) return;
    has_halted_ = false;
    at(PxCMD) = (at(PxCMD) & ~port_command::ccs) | port_command::cr;
    run();
}

void AhciPort::stop_list() {
    at(PxCMD) &= ~(port_command::cr | port_command::ccs);
    if (is_present_) drive_.call<&backplane_sata_drive::halt>();
    at(PxCI) = at(PxSACT) = 0;
    has_halted_ = false;
    current_ = no_slot;
    phase_ = {};
}

// What is asked of an idle link happens, unless PxSCTL forbids it. (8.3)
void AhciPort::change_link_power(std::uint32_t wanted) {
    if (!is_present_) return;
    const bool is_busy = (at(PxTFD) & (ata_status::bsy | ata_status::drq)) != 0 || at(PxCI) != 0;
    const bool allowed = wanted == link::active ||
                         (wanted == link::partial && !is_busy &&
                          (at(PxSCTL) & link::no_partial) == 0) ||
                         (wanted == link::slumber && !is_busy &&
                          (at(PxSCTL) & link::no_slumber) == 0);
    if (allowed) at(PxSSTS) = (at(PxSSTS) & ~link::ipm) | wanted << link::ipm_shift;
}

// ---- The link

void AhciPort::write_link_control(std::uint32_t value) {
    const std::uint32_t before = at(PxSCTL) & link::det;
    // DET is not to be changed while the list is processed. (3.3.11)
    if ((at(PxCMD) & port_command::st) != 0) value = (value & ~link::det) | before;
    at(PxSCTL) = value;
    const std::uint32_t now = value & link::det;
    if (now == before) return;
    if (now == link::det_reset || now == link::det_disable) {
        if (is_present_) reset_device();
        link_down();
        if (now == link::det_disable) at(PxSSTS) = link::det_offline;
        return;
    }
    at(PxSSTS) = 0;
    link_up();
}

void AhciPort::reset_device() {
    phase_ = {};
    current_ = no_slot;
    has_halted_ = is_in_reset_ = signature_waits_ = false;
    if (drive_ && drive_.call<&backplane_sata_drive::is_present>() != 0)
        call_drive<&backplane_ata_drive::reset>(std::uint32_t{BACKPLANE_ATA_RESET_HARDWARE},
                                                &signature_);
}

void AhciPort::link_down() {
    if (!std::exchange(is_present_, false)) return;
    at(PxSSTS) = 0;
    set_task_file(no_device_status, 0);
    at(PxSIG) = no_signature;
    error(port_error::n);
}

// COMINIT, and then the Register FIS with the drive's signature, which nobody has to enable.
// (5.3.2, 10.1)
void AhciPort::link_up() {
    is_present_ = false;
    const std::uint32_t wanted = at(PxSCTL) & link::det;
    if (!drive_ || wanted == link::det_reset || wanted == link::det_disable) return;
    if (drive_.call<&backplane_sata_drive::is_present>() == 0) return;
    std::uint32_t size = 0;
    std::uint8_t* const place = call_drive<&backplane_ata_drive::buffer>(&size);
    buffer_ = {place, size};
    is_present_ = true;
    const std::uint32_t limit = (at(PxSCTL) & link::spd) >> link::spd_shift;
    const std::uint32_t speed = limit == 1 ? 1 : 2;
    at(PxSSTS) = link::det_present | speed << link::spd_shift | link::active << link::ipm_shift;
    error(port_error::n | port_error::x);
    signature_.interrupt = 0;
    receive_registers(signature_);
    at(PxSIG) = static_cast<std::uint32_t>((signature_.lba & 0xffffff) << 8) |
                (signature_.count & 0xff);
    signature_waits_ = (at(PxCMD) & port_command::fre) == 0;
}

// A drive that is pulled out takes what it was doing with it.
void AhciPort::presence_changed() {
    const bool is_there = drive_.call<&backplane_sata_drive::is_present>() != 0;
    if (is_there == is_present_) return;
    if (is_there) {
        reset_device();
        link_up();
        return run();
    }
    const bool was_busy = (at(PxCI) | at(PxSACT)) != 0;
    phase_ = {};
    current_ = no_slot;
    is_in_reset_ = signature_waits_ = false;
    link_down();
    if (!was_busy) return;
    has_halted_ = true;
    error(port_error::c);
    raise(port_interrupt::ifs);
}

void AhciPort::set_task_file(std::uint32_t status, std::uint32_t error_register) {
    at(PxTFD) = status | error_register << 8;
}

}  // namespace backplane::storage
