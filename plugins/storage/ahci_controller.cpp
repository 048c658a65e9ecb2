#include "ahci_controller.h"

#include <algorithm>
#include <string>
#include <utility>

namespace backplane::storage {

using namespace ahci;

namespace {

constexpr std::uint32_t version = 0x00010301;

// Configuration registers of the ICH9.
constexpr unsigned MAP = 0x90;
constexpr std::uint32_t map_ahci = 0x40;
constexpr std::uint8_t capabilities = 0xa0;
constexpr std::uint8_t sata_capability = 0x12;

}  // namespace

void AhciController::declare_ports(Declaration<AhciController>& d) {
    static const auto names = [] {
        std::array<std::string, most_ports> made;
        for (unsigned index = 0; index < most_ports; ++index)
            made[index] = "port" + std::to_string(index);
        return made;
    }();
    for (unsigned index = 0; index < most_ports; ++index) {
        const auto port = [index](AhciController& t) -> AhciPort& { return t.ports_[index]; };
        d.connects(
            names[index].c_str(), [port](AhciController& t) -> auto& { return port(t).drive(); },
            "Drive at this port", Optional::Yes);
        AhciPort::declare_saved(d, names[index] + ".", port);
    }
}

void AhciController::declare(Declaration<AhciController>& d) {
    d.type("storage.ahci", "SATA controller with AHCI, as in the ICH9");
    d.property("ports", &AhciController::port_count_, "How many ports there are, from port0 on")
        .range(1u, std::uint32_t{most_ports});
    d.memory_window<&AhciController::read, &AhciController::write>(
         "registers", register_bytes, "Host bus adapter; port N is 0x80 * N behind port 0")
        .reg(CAP, "CAP", "What there is", 4)
        .reg(GHC, "GHC", "Bit 0: reset; bit 1: interrupts; bit 31: AHCI", 4)
        .reg(IS, "IS", "Ports that interrupt; cleared by ones", 4)
        .reg(PI, "PI", "Ports that there are", 4)
        .reg(VS, "VS", "Version", 4)
        .reg(ports + PxCLB, "P0CLB", "Command list", 4)
        .reg(ports + PxCLBU, "P0CLBU", "Its upper half", 4)
        .reg(ports + PxFB, "P0FB", "Area for received FISes", 4)
        .reg(ports + PxFBU, "P0FBU", "Its upper half", 4)
        .reg(ports + PxIS, "P0IS", "Why it interrupts; most are cleared by ones", 4)
        .reg(ports + PxIE, "P0IE", "Which of them may", 4)
        .reg(ports + PxCMD, "P0CMD", "Bit 0: process the command list; bit 4: receive FISes", 4)
        .reg(ports + PxTFD, "P0TFD", "Status and error of the drive", 4)
        .reg(ports + PxSIG, "P0SIG", "Signature of the drive", 4)
        .reg(ports + PxSSTS, "P0SSTS", "Link: bits 0 to 3 are 3 when there is a drive", 4)
        .reg(ports + PxSCTL, "P0SCTL", "Link: bits 0 to 3 are 1 to reset it", 4)
        .reg(ports + PxSERR, "P0SERR", "What went wrong with the link; cleared by ones", 4)
        .reg(ports + PxSACT, "P0SACT", "Queued commands that are not done", 4)
        .reg(ports + PxCI, "P0CI", "Commands that the drive has not got", 4);
    d.port_window<&AhciController::read_pair, &AhciController::write_pair>(
         "index-data", pair_bytes, "The same registers, one at a time")
        .reg(INDEX, "INDEX", "Offset of a register", 4)
        .reg(DATA, "DATA", "The register", 4);
    d.pci_function("slot", &AhciController::pci_,
                   {.vendor = 0x8086,
                    .device = 0x2922,
                    .class_code = 0x010601,
                    .revision = 2,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .interrupt_pin = 1})
        .bar(4, "index-data")
        .bar(5, "registers")
        .msi()
        .power_management()
        .on_config_write<&AhciController::config_written>();
    declare_ports(d);
    d.saved("GHC", &AhciController::control_);
    d.saved("IS", &AhciController::interrupts_);
    d.saved("INDEX", &AhciController::index_);
    d.counter(
        "commands",
        [](AhciController& t) {
            std::uint64_t sum = 0;
            for (const AhciPort& port : t.ports_)
                sum += port.commands();
            return sum;
        },
        "commands", "Given to drives");
}

AhciController::AhciController() { pci_.config().begin_capabilities_at(capabilities); }

Outcome AhciController::start() {
    for (unsigned index = port_count_; index < most_ports; ++index)
        if (ports_[index].drive())
            return std::unexpected("there is a drive at port" + std::to_string(index) + ", but " +
                                   std::to_string(port_count_) + " ports only: set `ports`");
    auto& config = pci_.config();
    // Where the index-data pair is: in base address register 4, in double words. (2.4)
    const unsigned sata = config.add_capability(sata_capability, 8);
    config.set(sata + 2, 2, 0x0010);
    config.set(sata + 4, 4, 0x8 | INDEX / 4 << 4);
    config.set(MAP, 1, map_ahci);
    for (unsigned index = 0; index < port_count_; ++index)
        ports_[index].start(*this, memory_);
    return {};
}

void AhciController::reset(ResetKind) { reset_ports(AhciPort::Addresses::Forget); }

void AhciController::reset_ports(AhciPort::Addresses addresses) {
    is_resetting_ = true;
    control_ = index_ = 0;
    for (unsigned index = 0; index < port_count_; ++index)
        ports_[index].reset(addresses);
    interrupts_ = 0;
    is_resetting_ = false;
    pci_.interrupt(false);
}

void AhciController::restored() {
    for (unsigned index = 0; index < port_count_; ++index)
        ports_[index].restored();
}

void AhciController::stop() {
    for (unsigned index = 0; index < port_count_; ++index)
        ports_[index].stop();
}

void AhciController::config_written(unsigned, unsigned) {
    if (memory_.is_accessing()) return;
    for (unsigned index = 0; index < port_count_; ++index)
        ports_[index].run();
}

// ---- Interrupts

void AhciController::port_interrupt_changed() {
    if (is_resetting_) return;
    const std::uint32_t before = interrupts_;
    for (unsigned index = 0; index < port_count_; ++index)
        if (ports_[index].has_interrupt()) interrupts_ |= 1u << index;
    update_interrupt((interrupts_ & ~before) != 0);
}

// A message for each port that begins to interrupt, and when some of several have been dealt with.
// (10.6.2)
void AhciController::update_interrupt(bool is_new) {
    const bool level = (control_ & ghc::ie) != 0 && interrupts_ != 0;
    pci_.set_interrupt(level);
    if (level && is_new) pci_.notify();
}

// ---- Registers

bool AhciController::is_port(std::uint64_t offset) const {
    return offset >= ports && offset < ports + port_count_ * port_size;
}

std::uint32_t AhciController::read_register(std::uint64_t offset) const {
    if (is_port(offset)) return ports_[(offset - ports) / port_size].read(offset % port_size);
    switch (offset) {
    case CAP:
        return (port_count_ - 1) | (BACKPLANE_SATA_TAGS - 1) << cap::ncs_shift | cap::psc |
               cap::ssc | cap::pmd | cap::sam | cap::iss_gen2 | cap::sclo | cap::salp | cap::sncq |
               cap::s64a;
    case GHC: return control_ | ghc::ae;
    case IS: return interrupts_;
    case PI: return ~std::uint32_t{0} >> (most_ports - port_count_);
    case VS: return version;
    default: return 0;
    }
}

void AhciController::write_register(std::uint64_t offset, std::uint32_t value, std::uint32_t mask) {
    if (is_port(offset))
        return ports_[(offset - ports) / port_size].write(offset % port_size, value, mask);
    const std::uint32_t covered = value & mask;
    if (offset == GHC) {
        if ((covered & ghc::hr) != 0) return reset_ports(AhciPort::Addresses::Keep);
        const std::uint32_t before = control_;
        control_ = ((control_ & ~mask) | covered) & ghc::ie;
        return update_interrupt((control_ & ~before) != 0);
    }
    if (offset == IS) {
        interrupts_ &= ~covered;
        // What still interrupts does so anew.
        for (unsigned index = 0; index < port_count_; ++index)
            if (ports_[index].has_interrupt()) interrupts_ |= 1u << index;
        update_interrupt(true);
    }
}

// Registers are double words; of smaller accesses the rest is left alone. Larger and misaligned
// ones are made of them.
std::uint64_t AhciController::read(std::uint64_t offset, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned done = 0; done < size;) {
        const unsigned shift = (offset + done) % 4;
        const unsigned part = std::min(4 - shift, size - done);
        const std::uint64_t bits = read_register(offset + done - shift) >> (shift * 8);
        value |= (bits & (~std::uint64_t{0} >> (64 - part * 8))) << (done * 8);
        done += part;
    }
    return value;
}

void AhciController::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (memory_.is_accessing()) return;
    for (unsigned done = 0; done < size;) {
        const unsigned shift = (offset + done) % 4;
        const unsigned part = std::min(4 - shift, size - done);
        const auto mask = static_cast<std::uint32_t>(~std::uint32_t{0} >> (32 - part * 8)
                                                                              << (shift * 8));
        write_register(offset + done - shift,
                       static_cast<std::uint32_t>(value >> (done * 8)) << (shift * 8), mask);
        done += part;
    }
}

// (ICH9, 15.3.2)
std::uint64_t AhciController::read_pair(std::uint64_t offset, unsigned size) {
    std::uint64_t value = 0;
    for (unsigned byte = 0; byte < size; ++byte) {
        const std::uint64_t at = offset + byte;
        std::uint64_t part = 0;
        if (at >= INDEX && at < DATA) part = index_ >> ((at - INDEX) * 8) & 0xff;
        if (at >= DATA && at < DATA + 4 && index_ < register_bytes)
            part = read(index_ + (at - DATA), 1);
        value |= part << (byte * 8);
    }
    return value;
}

void AhciController::write_pair(std::uint64_t offset, unsigned size, std::uint64_t value) {
    constexpr std::uint32_t index_bits = 0x1ffc;
    if (offset == INDEX && size == 4) index_ = static_cast<std::uint32_t>(value) & index_bits;
    if (offset == DATA && size == 4 && index_ < register_bytes) write(index_, 4, value);
}

}  // namespace backplane::storage
