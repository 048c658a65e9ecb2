// LPC interface bridge of the ICH9, function 0 of device 31: routes PCI interrupts, and places the
// power management and chipset configuration registers. (ICH9 datasheet 316972, chapters 10 and 13)
#pragma once

#include "pirq_router.h"

namespace backplane::chipset {

class Ich9Lpc final : public Device {
public:
    static void declare(Declaration<Ich9Lpc>& d);

    void reset(ResetKind);
    void restored();

private:
    static constexpr unsigned pirqs = 8;

    void set_interrupt(std::uint32_t device, std::uint32_t pin, std::int32_t level);
    void config_written(unsigned offset, unsigned size);
    std::uint64_t read_chipset(std::uint64_t offset, unsigned size);
    void write_chipset(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_general(std::uint64_t offset, unsigned size);
    void write_general(std::uint64_t offset, unsigned size, std::uint64_t value);
    unsigned pirq_of(unsigned device, unsigned pin) const;
    void place();
    void drive();

    PciFunction pci_;
    PirqRouter<pirqs> router_;
    // What each pin of each device is at: its PIRQ may be changed by registers.
    std::array<std::uint8_t, 32> pins_{};
    std::array<Line, PirqRouter<pirqs>::interrupts> irq_;
    std::array<Line, pirqs> pirq_;
    Connection<backplane_window> power_management_;
    Placement event_registers_, general_registers_, chipset_registers_;
    std::array<std::uint8_t, 0x4000> chipset_{};  // behind RCBA
    std::array<std::uint8_t, 0x60> general_{};    // PMBASE + 0x20 to + 0x7f
};

}  // namespace backplane::chipset
