#include "piix3.h"

namespace backplane::chipset {

namespace {

// Configuration registers (2.2).
constexpr unsigned IORT = 0x4c, XBCS = 0x4e, PIRQRCA = 0x60, TOM = 0x69, MSTAT = 0x6a,
                   MBIRQ0 = 0x70, MBDMA0 = 0x76, PCSC = 0x78, APICBASE = 0x80, DLC = 0x82,
                   SMICNTL = 0xa0, SMIEN = 0xa2, SEE = 0xa4, FTMR = 0xa8, SMIREQ = 0xaa,
                   CTLTMR = 0xac, CTHTMR = 0xae;
constexpr unsigned pins = 4;

}  // namespace

void Piix3::declare(Declaration<Piix3>& d) {
    d.type("chipset.piix3", "PIIX3 PCI-to-ISA bridge: routes PCI interrupts");
    d.pci_function("slot", &Piix3::pci_,
                   {.vendor = 0x8086,
                    .device = 0x7000,
                    .class_code = 0x060100,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .multi_function = true})
        .on_config_write<&Piix3::config_written>();
    static constexpr backplane_pci_interrupt_router router{sizeof(backplane_pci_interrupt_router),
                                                           0, thunk<&Piix3::set_interrupt>};
    d.provides("interrupt-router", router, "Hears of the interrupt pins on the PCI bus");
    d.line_outputs("irq", PirqRouter<4>::interrupts, &Piix3::irq_,
                   "The numbered interrupts of the 8259s, level-triggered");
    d.saved("levels", [](Piix3& p) -> auto& { return p.router_.saved_levels(); });
}

void Piix3::reset(ResetKind) {
    auto& config = pci_.config();
    for (unsigned offset = 0x40; offset < 0x100; offset += 4)
        config.set(offset, 4, 0);
    config.set(pci::command, 2, 0x0007);  // always bus master, memory and I/O
    config.allow(pci::command, 2, 0x0100);
    config.set(pci::status, 2, 0x0200);
    config.set(IORT, 1, 0x4d);
    config.set(XBCS, 2, 0x0003);
    config.set(TOM, 1, 0x02);
    config.set(MBDMA0, 2, 0x0c0c);
    config.set(PCSC, 2, 0x0002);
    config.set(SMICNTL, 1, 0x08);
    config.set(FTMR, 1, 0x0f);
    config.set(PIRQRCA, 4, 0x80808080);
    config.set(MBIRQ0, 2, 0x8080);
    config.allow(IORT, 1, 0xff);
    config.allow(XBCS, 2, 0x01ff);
    config.allow(PIRQRCA, 4, 0x8f8f8f8f);
    config.allow(TOM, 1, 0xfe);
    config.allow(MSTAT, 2, 0x8040, 0x0);
    config.allow(MBIRQ0, 2, 0xafaf);
    config.allow(MBDMA0, 2, 0x8787);
    config.allow(PCSC, 2, 0xffff);
    config.allow(APICBASE, 1, 0x7f);
    config.allow(DLC, 1, 0x0f);
    config.allow(SMICNTL, 1, 0x1f);
    config.allow(SMIEN, 2, 0x00ff);
    config.allow(SEE, 4, ~0u);
    config.allow(FTMR, 1, 0xff);
    config.allow(SMIREQ, 2, 0x00ff);
    config.allow(CTLTMR, 1, 0xff);
    config.allow(CTHTMR, 1, 0xff);
    router_.reset();
    drive();
}

// The mainboard turns the pins from slot to slot, so that the INTA# of neighbours do not meet:
// device 1, this bridge itself, has INTA# on PIRQA#.
void Piix3::set_interrupt(std::uint32_t device, std::uint32_t pin, std::int32_t level) {
    const unsigned pirq = (device + pin - 1 + pins - 1) % pins;
    router_.set(pirq, device * pins + pin - 1, level != 0);
    drive();
}

void Piix3::config_written(unsigned offset, unsigned size) {
    if (offset < PIRQRCA + pins && PIRQRCA < offset + size) drive();
}

void Piix3::drive() {
    std::array<std::uint8_t, pins> registers{};
    for (unsigned pirq = 0; pirq < pins; ++pirq)
        registers[pirq] = static_cast<std::uint8_t>(pci_.config().get(PIRQRCA + pirq, 1));
    const auto wanted = router_.route(registers);
    for (unsigned number = 0; number < wanted.size(); ++number)
        irq_[number].drive(wanted[number]);
}

}  // namespace backplane::chipset
