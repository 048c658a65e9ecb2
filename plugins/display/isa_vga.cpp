#include "isa_vga.h"

namespace backplane::display {

void IsaVga::declare(Declaration<IsaVga>& d) {
    d.type("display.isa-vga", "VGA with the Bochs display interface, for machines without PCI");
    declare_vga(d);
    d.memory_region<&IsaVga::framebuffer>("framebuffer",
                                          "All of the memory, at 0xE0000000 where it is wanted");
    d.line_output("irq", &IsaVga::irq_, "Vertical interrupt; IRQ 9 where it is connected");
}

}  // namespace backplane::display
