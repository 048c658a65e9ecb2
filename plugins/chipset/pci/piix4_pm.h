// Power management function of the PIIX4: it places the ACPI registers and those of the SMBus host,
// components of their own, where firmware wants them. (82371AB "PIIX4" datasheet 290562, chapter 7)
#pragma once

#include <backplane/sdk.h>

namespace backplane::chipset {

class Piix4Pm final : public Device {
public:
    static void declare(Declaration<Piix4Pm>& d);

    void reset(ResetKind);
    void restored() { place(); }

private:
    void config_written(unsigned, unsigned) { place(); }
    void place();

    PciFunction pci_;
    Connection<backplane_window> power_management_, smbus_;
    Placement power_management_placed_, smbus_placed_;
};

}  // namespace backplane::chipset
