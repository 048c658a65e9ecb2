// A VGA for machines without PCI. It has nothing but what the machine file maps: the legacy ports
// and window and, where drivers of the Bochs display interface look for it, the framebuffer.
#pragma once

#include "vga_device.h"

namespace backplane::display {

class IsaVga final : public VgaDevice {
public:
    static void declare(Declaration<IsaVga>& d);
};

}  // namespace backplane::display
