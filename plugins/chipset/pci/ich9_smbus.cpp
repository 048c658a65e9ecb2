#include "pci/ich9_smbus.h"

namespace backplane::chipset {

namespace {

constexpr unsigned HOSTC = 0x40;
constexpr std::uint8_t hst_en = 0x01, smb_smi_en = 0x02, i2c_en = 0x04, soft_reset = 0x08;

}  // namespace

void Ich9Smbus::declare(Declaration<Ich9Smbus>& d) {
    d.type("chipset.ich9-smbus", "SMBus controller of an ICH9");
    d.port_window<&Ich9Smbus::read_registers, &Ich9Smbus::write_registers>(
         "registers", 32, "SMBus I/O registers, base address register 4", 1)
        .reg(0x00, "HST_STS",
             "Bit 0: busy; 1: done; 2: device error; 4: failed; 6: in use; 7: byte")
        .reg(0x02, "HST_CNT", "Bit 0: interrupts; 1: kill; 4-2: command; 5: last byte; 6: start")
        .reg(0x03, "HST_CMD", "Command byte of the transfer")
        .reg(0x04, "XMIT_SLVA", "Bit 0: read; 7-1: address of the device")
        .reg(0x05, "HST_D0", "First data byte, or how many in a block")
        .reg(0x06, "HST_D1", "Second data byte")
        .reg(0x07, "HOST_BLOCK_DB", "A byte of a block")
        .reg(0x08, "PEC", "Packet error code")
        .reg(0x09, "RCV_SLVA", "Address as a slave")
        .reg(0x0a, "SLV_DATA", "Received as a slave", 2)
        .reg(0x0c, "AUX_STS", "Bit 0: packet error code was wrong")
        .reg(0x0d, "AUX_CTL", "Bit 0: packet error codes by hardware; 1: buffer for blocks")
        .reg(0x0e, "SMLINK_PIN_CTL", "Pins of the SMLink")
        .reg(0x0f, "SMBUS_PIN_CTL", "Pins of the SMBus")
        .reg(0x10, "SLV_STS", "Slave status")
        .reg(0x11, "SLV_CMD", "Slave command")
        .reg(0x14, "NOTIFY_DADDR", "Address of a device that notified")
        .reg(0x16, "NOTIFY_DLOW", "Data of the notification, low byte")
        .reg(0x17, "NOTIFY_DHIGH", "Data of the notification, high byte");
    d.pci_function("slot", &Ich9Smbus::pci_,
                   {.vendor = 0x8086,
                    .device = 0x2930,
                    .class_code = 0x0c0500,
                    .revision = 0x02,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .interrupt_pin = 2})
        .bar(4, "registers")
        .on_config_write<&Ich9Smbus::config_written>();
    declare_host(d);
}

void Ich9Smbus::reset(ResetKind) {
    pci_.config().set(pci::status, 2, 0x0280);
    pci_.config().set(HOSTC, 1, 0);
    pci_.config().allow(HOSTC, 1, hst_en | smb_smi_en | i2c_en | soft_reset);
    reset_host();
}

bool Ich9Smbus::is_enabled() const { return (pci_.config().get(HOSTC, 1) & hst_en) != 0; }

void Ich9Smbus::config_written(unsigned, unsigned) {
    auto& config = pci_.config();
    const auto hostc = config.get(HOSTC, 1);
    if ((hostc & soft_reset) == 0) return;
    config.set(HOSTC, 1, hostc & ~soft_reset);
    reset_host();
}

std::uint64_t Ich9Smbus::read_registers(std::uint64_t offset, unsigned size) {
    return is_enabled() ? SmbusHost::read(offset, size) : ~std::uint64_t{0};
}

void Ich9Smbus::write_registers(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (is_enabled()) SmbusHost::write(offset, size, value);
}

}  // namespace backplane::chipset
