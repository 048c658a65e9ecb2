#include "piix4_smbus.h"

namespace backplane::chipset {

void Piix4Smbus::declare(Declaration<Piix4Smbus>& d) {
    d.type("chipset.piix4-smbus", "SMBus host registers of a PIIX4");
    d.port_window<&SmbusHost::read, &SmbusHost::write>("registers", 16,
                                                       "For the `smbus` of chipset.piix4-pm", 1)
        .reg(0x00, "SMBHSTSTS", "Bit 0: busy; 1: done; 2: device error; 4: failed")
        .reg(0x02, "SMBHSTCNT", "Bit 0: interrupts; 1: kill; 4-2: command; 6: start")
        .reg(0x03, "SMBHSTCMD", "Command byte of the transfer")
        .reg(0x04, "SMBHSTADD", "Bit 0: read; 7-1: address of the device")
        .reg(0x05, "SMBHSTDAT0", "First data byte, or how many in a block")
        .reg(0x06, "SMBHSTDAT1", "Second data byte")
        .reg(0x07, "SMBBLKDAT", "Bytes of a block, one after another from when SMBHSTCNT was read")
        .reg(0x08, "SMBSLVCNT", "Slave control")
        .reg(0x09, "SMBSHDWCMD", "Shadow command")
        .reg(0x0a, "SMBSLVEVT", "Slave event", 2)
        .reg(0x0c, "SMBSLVDAT", "Slave data", 2);
    d.line_output("irq", &Piix4Smbus::irq_, "Interrupt, IRQ9 when SMBHSTCFG says so");
    declare_host(d);
}

}  // namespace backplane::chipset
