#include "piix4_pm.h"

namespace backplane::chipset {

namespace {

// Configuration registers (7.1).
constexpr unsigned PMBA = 0x40, CNTA = 0x44, CNTB = 0x48, GPICTL = 0x4c, DEVRESD = 0x50,
                   DEVACTA = 0x54, DEVACTB = 0x58, DEVRESA = 0x5c, PMREGMISC = 0x80, SMBBA = 0x90,
                   SMBHSTCFG = 0xd2, SMBSLVC = 0xd3, SMBSHDW1 = 0xd4, SMBSHDW2 = 0xd5,
                   SMBREV = 0xd6;
constexpr unsigned pmiose = 0x01, smb_host_enable = 0x01;
// Bit 25 of DEVACTB: a write to port 0xB2 makes an SMI. Firmware that finds it set takes system
// management mode for initialised already, and leaves it alone; there is none here.
constexpr std::uint32_t apmc_enable = 0x0200'0000;

}  // namespace

void Piix4Pm::declare(Declaration<Piix4Pm>& d) {
    d.type("chipset.piix4-pm", "PIIX4 power management function: places the ACPI registers");
    d.pci_function("slot", &Piix4Pm::pci_,
                   {.vendor = 0x8086,
                    .device = 0x7113,
                    .class_code = 0x068000,
                    .revision = 0x03,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .interrupt_pin = 1})
        .on_config_write<&Piix4Pm::config_written>();
    d.connects_ports("power-management", &Piix4Pm::power_management_,
                     "ACPI registers, placed by PMBA");
    d.connects_ports("smbus", &Piix4Pm::smbus_, "SMBus host registers, placed by SMBBA",
                     Optional::Yes);
}

void Piix4Pm::reset(ResetKind) {
    auto& config = pci_.config();
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        config.set(offset, 4, 0);
    config.allow(pci::command, 2, 0x0001);
    config.set(pci::status, 2, 0x0280);
    config.set(pci::interrupt_line, 1, 9);
    config.set(PMBA, 4, 1);
    config.set(DEVACTB, 4, apmc_enable);
    config.set(SMBBA, 4, 1);
    config.allow(PMBA, 4, 0xffc0);
    config.allow(CNTA, 4, 0x003f'ffff);
    config.allow(CNTB, 4, ~0u);
    config.allow(GPICTL, 4, ~0u);
    config.allow(DEVRESD, 4, ~0u);
    config.allow(DEVACTA, 4, ~0u);
    config.allow(DEVACTB, 4, ~0u);
    for (unsigned offset = DEVRESA; offset < 0x80; offset += 4)  // DEVRESA to DEVRESJ
        config.allow(offset, 4, ~0u);
    config.allow(PMREGMISC, 1, 0x01);
    config.allow(SMBBA, 4, 0xfff0);
    config.allow(SMBHSTCFG, 1, 0x0f);
    config.allow(SMBSLVC, 1, 0xff);
    config.allow(SMBSHDW1, 1, 0xff);
    config.allow(SMBSHDW2, 1, 0xff);
    config.set(SMBREV, 1, 0);
    place();
}

// PMREGMISC and SMBHSTCFG let the registers be seen, whatever the command register says (7.1.21,
// 7.1.31).
void Piix4Pm::place() {
    const auto& config = pci_.config();
    const AddressSpace io = pci_.io();
    power_management_placed_.remove();
    if ((config.get(PMREGMISC, 1) & pmiose) != 0)
        power_management_placed_ = io.place(
            power_management_.link(), "power management",
            {.address = config.get(PMBA, 2) & 0xffc0, .size = power_management_->size});
    smbus_placed_.remove();
    if (smbus_ && (config.get(SMBHSTCFG, 1) & smb_host_enable) != 0)
        smbus_placed_ = io.place(smbus_.link(), "smbus",
                                 {.address = config.get(SMBBA, 2) & 0xfff0, .size = smbus_->size});
}

}  // namespace backplane::chipset
