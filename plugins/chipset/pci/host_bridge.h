// What the host bridges of PCs share: the configuration mechanism at ports 0xCF8 to 0xCFF, the
// memory behind them, and the segments below 1 MiB that are memory or PCI as the firmware chooses.
#pragma once

#include "pci_bus.h"

#include <array>
#include <cstdint>

namespace backplane::chipset {

class HostBridge : public Device {
public:
    Outcome start();
    void reset(ResetKind);
    void restored();

protected:
    // Where a bridge has the registers that they have in common: PAM0, and SMRAM.
    struct Layout {
        unsigned pam, smram;
    };

    HostBridge(std::uint32_t config_size, Layout layout) : bus_{config_size}, layout_{layout} {}

    template <class Bridge> static void declare_bridge(Declaration<Bridge>& d);

    // Places memory where the registers want it.
    void update_memory();

    PciFunction pci_;  // the bridge itself, device 0
    PciBus bus_;

private:
    static constexpr unsigned segments = 13;  // 0xC0000 to 0xEFFFF in 16 KiB, and 0xF0000

    std::uint64_t read_ports(std::uint64_t offset, unsigned size);
    void write_ports(std::uint64_t offset, unsigned size, std::uint64_t value);
    backplane_link slot(unsigned element) { return bus_.slot(element); }
    void place_segment(unsigned segment);

    Layout layout_;
    std::uint32_t config_address_ = 0;
    Connection<backplane_window> low_, high_, reset_control_;
    Placement base_, extended_, beyond_4g_, smram_;
    std::array<Placement, segments> pam_;
    std::array<std::uint8_t, segments> pam_placed_{};
    bool smram_placed_ = false;
};

template <class Bridge> void HostBridge::declare_bridge(Declaration<Bridge>& d) {
    PciBus::declare<Bridge>(d, [](Bridge& b) -> PciBus& { return b.bus_; });
    d.template provides_each<backplane_pci_slot, &Bridge::slot>(
        "slots", BACKPLANE_PCI_SLOTS, "Bus 0, written as DEVICE.FUNCTION: pci0@1f.2",
        BACKPLANE_EXCLUSIVE);
    d.template port_window<&Bridge::read_ports, &Bridge::write_ports>(
         "configuration", 8, "Configuration mechanism #1, ports 0xCF8 to 0xCFF", 7)
        .reg(0, "CONFADD", "Bit 31: enable; bus, device, function and register", 4)
        .reg(4, "CONFDATA", "The register that CONFADD names", 4);
    d.connects_memory("low-memory", &Bridge::low_, "Memory below 4 GiB");
    d.connects_memory("high-memory", &Bridge::high_, "Memory from 4 GiB on", Optional::Yes);
    d.connects_ports("reset-control", &Bridge::reset_control_,
                     "Takes the bytes among ports 0xCF8 to 0xCFB", Optional::Yes);
    d.saved("CONFADD", &Bridge::config_address_);
    d.saved("configuration", [](Bridge& b) -> auto& { return b.pci_.config().saved_bytes(); });
}

}  // namespace backplane::chipset
