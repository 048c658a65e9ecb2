// The IDE controllers of Intel's PCI chip sets: two channels at the old ports, which configuration
// space turns on, and a bus master for each. (PIIX3 datasheet 290550, 2.3 and 2.7; PIIX4 datasheet
// 290562, chapter 4)
//
// The timing registers can be written and read, but a cable here has no speed.
#pragma once

#include "bus_master.h"
#include "ide_channel.h"

#include <backplane/sdk.h>

#include <array>

namespace backplane::storage {

class PciIde : public Device {
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
    static void declare_channel(Declaration<T>& d, PciDeclaration<T>& function);

    void config_written(unsigned offset, unsigned size);
    void place_channels();

    template <unsigned index>
    std::uint64_t read(std::uint64_t offset, unsigned size) {
        return channels_[index].read(offset, size);
    }
    template <unsigned index>
    void write(std::uint64_t offset, unsigned size, std::uint64_t value) {
        channels_[index].write(offset, size, value);
    }
    template <unsigned index>
    std::uint32_t read_many(std::uint64_t offset, unsigned size, std::span<std::byte> data) {
        return offset == 0 ? channels_[index].read_many(size, data) : 0;
    }
    template <unsigned index>
    std::uint32_t write_many(std::uint64_t offset, unsigned size, std::span<const std::byte> data) {
        return offset == 0 ? channels_[index].write_many(size, data) : 0;
    }
    template <unsigned index>
    std::uint64_t read_control(std::uint64_t, unsigned) {
        return channels_[index].read_alternate_status();
    }
    template <unsigned index>
    void write_control(std::uint64_t, unsigned, std::uint64_t value) {
        channels_[index].write_device_control(static_cast<std::uint8_t>(value));
    }
    std::uint64_t read_master(std::uint64_t offset, unsigned size);
    void write_master(std::uint64_t offset, unsigned size, std::uint64_t value);

    bool decode_at_reset_ = true;
    std::array<IdeChannel, 2> channels_;
    std::array<BusMaster, 2> masters_;
    std::array<Placement, 4> placements_;  // command and control block of each
};

template <unsigned index, class T>
void PciIde::declare_channel(Declaration<T>& d, PciDeclaration<T>&) {
    static constexpr bool primary = index == 0;
    const auto channel = [](T& t) -> IdeChannel& { return t.PciIde::channels_[index]; };
    d.template port_window<&PciIde::read<index>, &PciIde::write<index>, &PciIde::read_many<index>,
                           &PciIde::write_many<index>>(primary ? "primary" : "secondary", 8,
                                                       primary ? "Command block, at 0x1F0"
                                                               : "Command block, at 0x170")
        .reg(0, "DATA", "16 bits of the data block", 2)
        .reg(1, "ERROR", "Read: error; write: features")
        .reg(2, "COUNT", "Sectors")
        .reg(3, "LBA_LOW", "LBA bits 0 to 7, or the sector")
        .reg(4, "LBA_MID", "LBA bits 8 to 15, or the cylinder's low byte")
        .reg(5, "LBA_HIGH", "LBA bits 16 to 23, or the cylinder's high byte")
        .reg(6, "DEVICE", "Bit 4: device; bit 6: LBA; bits 0 to 3: LBA bits 24 to 27, or the head")
        .reg(7, "STATUS", "Read: status, and the interrupt is taken back; write: command");
    d.template port_window<&PciIde::read_control<index>, &PciIde::write_control<index>>(
         primary ? "primary-control" : "secondary-control", 1,
         primary ? "Control block, at 0x3F6" : "Control block, at 0x376")
        .reg(0, "CONTROL", "Read: status; write: bit 1 disables interrupts, bit 2 resets");
    d.line_output(
        primary ? "primary-irq" : "secondary-irq",
        [channel](T& t) -> auto& { return channel(t).interrupt_line(); },
        primary ? "Interrupt 14" : "Interrupt 15");
    d.connects(
        primary ? "primary-master" : "secondary-master",
        [channel](T& t) -> auto& { return channel(t).drive(0); }, "Device 0", Optional::Yes);
    d.connects(
        primary ? "primary-slave" : "secondary-slave",
        [channel](T& t) -> auto& { return channel(t).drive(1); }, "Device 1", Optional::Yes);
    IdeChannel::declare_saved(d, primary ? "primary" : "secondary", channel);
    BusMaster::declare_saved(d, primary ? "primary" : "secondary",
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
    declare_channel<0>(d, function);
    declare_channel<1>(d, function);
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
