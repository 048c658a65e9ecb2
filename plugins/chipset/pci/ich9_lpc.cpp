#include "ich9_lpc.h"

#include <cstring>

namespace backplane::chipset {

namespace {

// Configuration registers (13.1).
constexpr unsigned PMBASE = 0x40, ACPI_CNTL = 0x44, GPIOBASE = 0x48, GC = 0x4c, PIRQA_ROUT = 0x60,
                   SIRQ_CNTL = 0x64, PIRQE_ROUT = 0x68, LPC_IO_DEC = 0x80, LPC_EN = 0x82,
                   GEN1_DEC = 0x84, GEN_PMCON_1 = 0xa0, RCBA = 0xf0;
constexpr unsigned acpi_enable = 0x80, rcba_enable = 1;

// Chipset configuration registers (10.1): which of PIRQA# to PIRQH# the pins of each device of the
// chip itself reach.
constexpr unsigned D31IR = 0x3140, D30IR = 0x3142, D29IR = 0x3144, D28IR = 0x3146, D27IR = 0x3148,
                   D26IR = 0x314c, D25IR = 0x3150;
constexpr std::array<unsigned, 7> device_routes{D25IR, D26IR, D27IR, D28IR, D29IR, D30IR, D31IR};
constexpr unsigned first_internal_device = 25;
constexpr std::uint16_t default_route = 0x3210;

// Of the 128 bytes at PMBASE: those of the ACPI component, and what is left to this one (13.8.3).
constexpr std::uint64_t event_bytes = 0xc, general_offset = 0x20;
constexpr unsigned GPE0_STS = 0x20, GPE0_EN = 0x28, SMI_EN = 0x30, SMI_STS = 0x34;
// A write to port 0xB2 makes an SMI. Firmware that finds it set takes system management mode for
// initialised already, and leaves it alone; there is none here.
constexpr std::uint8_t apmc_enable = 0x20;

}  // namespace

void Ich9Lpc::declare(Declaration<Ich9Lpc>& d) {
    d.type("chipset.ich9-lpc", "ICH9 LPC bridge: routes PCI interrupts, places the ACPI registers");
    d.memory_window<&Ich9Lpc::read_chipset, &Ich9Lpc::write_chipset>(
        "chipset-configuration", 0x4000, "Chipset configuration registers, placed by RCBA", 7);
    d.port_window<&Ich9Lpc::read_general, &Ich9Lpc::write_general>(
         "general-purpose-events", 0x60, "The rest of the power management block", 7)
        .reg(GPE0_STS - general_offset, "GPE0_STS", "General purpose events; ones clear", 8)
        .reg(GPE0_EN - general_offset, "GPE0_EN", "Which of them interrupt", 8)
        .reg(SMI_EN - general_offset, "SMI_EN", "Bit 5: writes to port 0xB2 make an SMI", 4)
        .reg(SMI_STS - general_offset, "SMI_STS", "What made the last one; ones clear", 4);
    d.pci_function("slot", &Ich9Lpc::pci_,
                   {.vendor = 0x8086,
                    .device = 0x2918,
                    .class_code = 0x060100,
                    .revision = 0x02,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .multi_function = true})
        .placed("chipset-configuration")
        .placed("general-purpose-events")
        .on_config_write<&Ich9Lpc::config_written>();
    static constexpr backplane_pci_interrupt_router router{sizeof(backplane_pci_interrupt_router),
                                                           0, thunk<&Ich9Lpc::set_interrupt>};
    d.provides("interrupt-router", router, "Hears of the interrupt pins on the PCI bus");
    d.line_outputs("irq", PirqRouter<pirqs>::interrupts, &Ich9Lpc::irq_,
                   "The numbered interrupts of the 8259s, level-triggered");
    d.line_outputs("pirq", pirqs, &Ich9Lpc::pirq_,
                   "PIRQA# to PIRQH#, for inputs 16 to 23 of the I/O APIC");
    d.connects_ports("power-management", &Ich9Lpc::power_management_,
                     "ACPI registers, placed by PMBASE");
    d.saved("levels", [](Ich9Lpc& l) -> auto& { return l.router_.saved_levels(); });
    d.saved("pins", &Ich9Lpc::pins_);
    d.saved("chipset-configuration", &Ich9Lpc::chipset_);
    d.saved("general-purpose-events", &Ich9Lpc::general_);
}

void Ich9Lpc::reset(ResetKind) {
    auto& config = pci_.config();
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        config.set(offset, 4, 0);
    config.set(pci::command, 2, 0x0007);
    config.allow(pci::command, 2, 0x0140);
    config.set(pci::status, 2, 0x0200);
    config.set(PMBASE, 4, 1);
    config.set(GPIOBASE, 4, 1);
    config.set(PIRQA_ROUT, 4, 0x80808080);
    config.set(PIRQE_ROUT, 4, 0x80808080);
    config.set(SIRQ_CNTL, 1, 0x10);
    config.allow(PMBASE, 4, 0xff80);
    config.allow(ACPI_CNTL, 1, 0x87);
    config.allow(GPIOBASE, 4, 0xffc0);
    config.allow(GC, 1, 0x11);
    config.allow(PIRQA_ROUT, 4, 0x8f8f8f8f);
    config.allow(PIRQE_ROUT, 4, 0x8f8f8f8f);
    config.allow(SIRQ_CNTL, 1, 0xff);
    config.allow(LPC_IO_DEC, 2, 0x1377);
    config.allow(LPC_EN, 2, 0x3f0f);
    for (unsigned offset = GEN1_DEC; offset < 0x94; offset += 4)
        config.allow(offset, 4, 0x00fc'fffd);
    config.allow(GEN_PMCON_1, 4, ~0u);
    config.allow(RCBA, 4, 0xffff'c001);
    chipset_ = {};
    for (const unsigned route : device_routes)
        std::memcpy(&chipset_[route], &default_route, sizeof default_route);
    chipset_[D30IR] = chipset_[D30IR + 1] = 0;
    general_ = {};
    general_[SMI_EN - general_offset] = apmc_enable;
    router_.reset();
    pins_ = {};
    place();
    drive();
}

void Ich9Lpc::restored() {
    place();
    drive();
}

void Ich9Lpc::config_written(unsigned offset, unsigned size) {
    const auto touches = [&](unsigned start, unsigned bytes) {
        return offset < start + bytes && start < offset + size;
    };
    if (touches(PMBASE, 5) || touches(RCBA, 4)) place();
    if (touches(PIRQA_ROUT, 12)) drive();
}

void Ich9Lpc::place() {
    const auto& config = pci_.config();
    event_registers_.remove();
    general_registers_.remove();
    chipset_registers_.remove();
    if ((config.get(ACPI_CNTL, 1) & acpi_enable) != 0) {
        const std::uint64_t base = config.get(PMBASE, 2) & 0xff80;
        event_registers_ = pci_.io().place(power_management_.link(), "power management",
                                           {.address = base, .size = event_bytes});
        general_registers_ = pci_.io().place(
            pci_.window("general-purpose-events"), "general purpose events",
            {.address = base + general_offset, .size = general_.size()});
    }
    const std::uint32_t rcba = config.get(RCBA, 4);
    if ((rcba & rcba_enable) != 0)
        chipset_registers_ = pci_.memory().place(
            pci_.window("chipset-configuration"), "chipset configuration",
            {.address = rcba & 0xffff'c000, .size = chipset_.size()});
}

// Devices outside the chip have their four pins turned on from slot to slot over PIRQE# to PIRQH#.
unsigned Ich9Lpc::pirq_of(unsigned device, unsigned pin) const {
    if (device < first_internal_device) return (device + pin - 1) % 4 + 4;
    const unsigned route = device_routes[device - first_internal_device];
    const unsigned value = chipset_[route] | unsigned{chipset_[route + 1]} << 8;
    return (value >> (4 * (pin - 1))) & 7;
}

void Ich9Lpc::set_interrupt(std::uint32_t device, std::uint32_t pin, std::int32_t level) {
    const auto bit = static_cast<std::uint8_t>(1 << (pin - 1));
    pins_[device] = static_cast<std::uint8_t>(level != 0 ? pins_[device] | bit
                                                         : pins_[device] & ~bit);
    router_.set(pirq_of(device, pin), device * 4 + pin - 1, level != 0);
    drive();
}

void Ich9Lpc::drive() {
    std::array<std::uint8_t, pirqs> registers{};
    for (unsigned pirq = 0; pirq < pirqs; ++pirq) {
        const unsigned offset = pirq < 4 ? PIRQA_ROUT + pirq : PIRQE_ROUT + pirq - 4;
        registers[pirq] = static_cast<std::uint8_t>(pci_.config().get(offset, 1));
        pirq_[pirq].drive(router_.level(pirq));
    }
    const auto wanted = router_.route(registers);
    for (unsigned number = 0; number < wanted.size(); ++number)
        irq_[number].drive(wanted[number]);
}

std::uint64_t Ich9Lpc::read_chipset(std::uint64_t offset, unsigned size) {
    std::uint32_t value = 0;
    std::memcpy(&value, &chipset_[offset], size);
    return value;
}

// Only the routing registers have an effect; the others keep what is written.
void Ich9Lpc::write_chipset(std::uint64_t offset, unsigned size, std::uint64_t value) {
    std::memcpy(&chipset_[offset], &value, size);
    if (offset + size <= D31IR || offset > D25IR + 1) return;
    router_.reset();
    for (unsigned device = 0; device < pins_.size(); ++device)
        for (unsigned pin = 1; pin <= 4; ++pin)
            if (((pins_[device] >> (pin - 1)) & 1) != 0)
                router_.set(pirq_of(device, pin), device * 4 + pin - 1, true);
    drive();
}

std::uint64_t Ich9Lpc::read_general(std::uint64_t offset, unsigned size) {
    std::uint32_t value = 0;
    std::memcpy(&value, &general_[offset], size);
    return value;
}

// Status registers are cleared by ones; nothing here sets them.
void Ich9Lpc::write_general(std::uint64_t offset, unsigned size, std::uint64_t value) {
    for (unsigned i = 0; i < size; ++i) {
        const std::uint64_t at = offset + i + general_offset;
        auto& byte = general_[offset + i];
        const auto part = static_cast<std::uint8_t>(value >> (8 * i));
        const bool is_status = (at >= GPE0_STS && at < GPE0_EN) ||
                               (at >= SMI_STS && at < SMI_STS + 4);
        byte = static_cast<std::uint8_t>(is_status ? byte & ~part : part);
    }
}

}  // namespace backplane::chipset
