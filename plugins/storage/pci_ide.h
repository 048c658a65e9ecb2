// The IDE controllers of Intel's PCI chip sets: two channels at the old ports, which configuration
// space turns on, and a bus master for each. (PIIX3 datasheet 290550, 2.3 and 2.7; PIIX4 datasheet
// 290562, chapter 4)
//
// The timing registers can be written and read, but a cable here has no speed.
#pragma once

#include "bus_master.h"
#include "ide_channels.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::storage {

class PciIde : public IdeChannels {
public:
    Outcome start();
    void reset(ResetKind);
    void restored();

protected:
    ~PciIde() = default;

    template <class T>
    static void declare_controller(Declaration<T>& d, const PciIdentity& identity);
    // Which bits of the timing registers there are, by offset from 0x40.
    virtual std::uint32_t timing_bits(unsigned offset) const = 0;

    PciFunction pci_;

private:
    template <unsigned index, class T>
    static void declare_master(Declaration<T>& d);

    void config_written(unsigned offset, unsigned size);
    void place_channels();

    std::uint64_t read_master(std::uint64_t offset, unsigned size);
    void write_master(std::uint64_t offset, unsigned size, std::uint64_t value);

    bool decode_at_reset_ = true;
    std::array<BusMaster, 2> masters_;
    std::array<Placement, 4> placements_;  // command and control block of each
};

template <unsigned index, class T>
void PciIde::declare_master(Declaration<T>& d) {
    BusMaster::declare_saved(d, index == 0 ? "primary" : "secondary",
                             [](T& t) -> BusMaster& { return t.PciIde::masters_[index]; });
}

template <class T>
void PciIde::declare_controller(Declaration<T>& d, const PciIdentity& identity) {
    d.property("decode-at-reset", static_cast<bool T::*>(&PciIde::decode_at_reset_),
               "The channels answer without firmware turning them on in IDETIM");
    d.template port_window<&PciIde::read_master, &PciIde::write_master>(
         "bus-master", 16, "Bus masters of the primary and the secondary channel")
        .reg(0, "BMICP", "Bit 0: start; bit 3: to memory")
        .reg(2, "BMISP", "Bit 0: active; 1: error; 2: interrupt; 5 and 6: drives can do DMA")
        .reg(4, "BMIDTPP", "Address of the descriptor table", 4)
        .reg(8, "BMICS", "As BMICP")
        .reg(10, "BMISS", "As BMISP")
        .reg(12, "BMIDTPS", "As BMIDTPP", 4);
    auto function = d.pci_function("slot", [](T& t) -> auto& { return t.PciIde::pci_; }, identity);
    declare_channel<0>(d);
    declare_master<0>(d);
    declare_channel<1>(d);
    declare_master<1>(d);
    function.bar(4, "bus-master")
        .placed("primary")
        .placed("primary-control")
        .placed("secondary")
        .placed("secondary-control")
        .template on_config_write<&PciIde::config_written>();
}

// Multiword DMA only.
class Piix3Ide final : public PciIde {
public:
    static void declare(Declaration<Piix3Ide>& d);

private:
    std::uint32_t timing_bits(unsigned offset) const override;
};

// Ultra DMA 33.
class Piix4Ide final : public PciIde {
public:
    static void declare(Declaration<Piix4Ide>& d);

private:
    std::uint32_t timing_bits(unsigned offset) const override;
};

// Ultra DMA 100, as in the ICH7.
class IchIde final : public PciIde {
public:
    static void declare(Declaration<IchIde>& d);

private:
    std::uint32_t timing_bits(unsigned offset) const override;
};

}  // namespace backplane::storage
