// PCI-to-ISA bridge of the 440FX chip set, function 0: routes PCI interrupts. The ISA devices that
// it has inside are components of their own. (82371SB "PIIX3" datasheet 290550)
#pragma once

#include "pirq_router.h"

namespace backplane::chipset {

class Piix3 final : public Device {
public:
    static void declare(Declaration<Piix3>& d);

    void reset(ResetKind);
    void restored() { drive(); }

private:
    void set_interrupt(std::uint32_t device, std::uint32_t pin, std::int32_t level);
    void config_written(unsigned offset, unsigned size);
    void drive();

    PciFunction pci_;
    PirqRouter<4> router_;
    std::array<Line, PirqRouter<4>::interrupts> irq_;
};

}  // namespace backplane::chipset
