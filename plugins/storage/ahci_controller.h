// A SATA controller with the Advanced Host Controller Interface, as in the ICH9: 32 command slots
// to a port, queued commands, 64-bit addresses, hot plug. (Serial ATA AHCI 1.3.1; ICH9 datasheet
// 316972, chapter 15)
//
// There are no port multipliers, no enclosure management, no command completion coalescing and no
// mechanical switches, and the capabilities say so.
#pragma once

#include "ahci_port.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::storage {

class AhciController final : public Device, private AhciPort::Adapter {
public:
    static constexpr unsigned most_ports = 32;

    static void declare(Declaration<AhciController>& d);

    AhciController();

    Outcome start();
    void reset(ResetKind);
    void restored();
    void stop();

private:
    static constexpr std::uint64_t register_bytes = ahci::ports + most_ports * ahci::port_size;
    // The pair of ports through which the registers can be reached without memory accesses.
    static constexpr std::uint64_t pair_bytes = 32, INDEX = 0x10, DATA = 0x14;

    static void declare_ports(Declaration<AhciController>& d);

    std::uint64_t read(std::uint64_t offset, unsigned size);
    void write(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint32_t read_register(std::uint64_t offset) const;
    void write_register(std::uint64_t offset, std::uint32_t value, std::uint32_t mask);
    std::uint64_t read_pair(std::uint64_t offset, unsigned size);
    void write_pair(std::uint64_t offset, unsigned size, std::uint64_t value);
    void config_written(unsigned offset, unsigned size);

    bool is_port(std::uint64_t offset) const;
    void reset_ports(AhciPort::Addresses addresses);
    void port_interrupt_changed() override;
    void update_interrupt(bool is_new);

    PciFunction pci_;
    AhciMemory memory_{pci_};
    std::uint32_t port_count_ = 6;
    std::array<AhciPort, most_ports> ports_;
    bool is_resetting_ = false;

    std::uint32_t control_ = 0;     // GHC, but AE
    std::uint32_t interrupts_ = 0;  // IS
    std::uint32_t index_ = 0;
};

}  // namespace backplane::storage
