#include "pic8259.h"

namespace backplane::chipset {

constexpr unsigned master = 0, slave = 1;
constexpr unsigned cascade = 2;
// IRQ0-2, 8 and 13 are edge triggered whatever ELCR says (PIIX3 3.5.6, 3.5.7).
constexpr std::uint8_t master_elcr_writable = 0xf8;
constexpr std::uint8_t slave_elcr_writable = 0xde;

static const backplane_interrupt_controller controller_functions{
    sizeof(backplane_interrupt_controller),
    0,
    thunk<&Pic8259::acknowledge>,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr,
    nullptr};

void Pic8259::declare(Declaration<Pic8259>& d) {
    d.type("chipset.pic8259", "The two cascaded 8259A interrupt controllers of a PC");
    d.port_window<&Pic8259::read<master>, &Pic8259::write<master>>("master", 2,
                                                                   "The master, at port 0x20", 1)
        .reg(0, "IRR/ISR", "Reads give IRR or ISR, as OCW3 chose; writes are ICW1, OCW2 and OCW3")
        .reg(1, "IMR", "Interrupt mask (OCW1); ICW2 to ICW4 during initialization");
    d.port_window<&Pic8259::read<slave>, &Pic8259::write<slave>>("slave", 2,
                                                                 "The slave, at port 0xA0", 1)
        .reg(0, "IRR/ISR", "Reads give IRR or ISR, as OCW3 chose; writes are ICW1, OCW2 and OCW3")
        .reg(1, "IMR", "Interrupt mask (OCW1); ICW2 to ICW4 during initialization");
    d.port_window<&Pic8259::read_elcr, &Pic8259::write_elcr>("elcr", 2,
                                                             "Edge/level control, at port 0x4D0", 1)
        .reg(0, "ELCR1", "Level triggered inputs of IRQ0 to IRQ7")
        .reg(1, "ELCR2", "Level triggered inputs of IRQ8 to IRQ15");
    d.line_inputs<&Pic8259::set_input>("inputs", 16,
                                       "IRQ0 to IRQ15; IRQ2 is the slave's place and does nothing");
    d.line_output("intr", &Pic8259::intr_,
                  "Interrupt request to the CPU or to LINT0 of a local APIC");
    d.provides("interrupt-controller", controller_functions,
               "Acknowledges an interrupt and gives its vector");
    d.counter("acknowledged", &Pic8259::acknowledged_, "interrupts", "Interrupts acknowledged");
    d.counter("spurious", &Pic8259::spurious_, "interrupts",
              "Acknowledge cycles whose request had gone (IRQ7, IRQ15)");

    for (const unsigned index : {master, slave}) {
        const auto save = [&d, index](const char* name, auto member) {
            d.saved((index == master ? "master." : "slave.") + std::string{name},
                    [index, member](Pic8259& pic) -> auto& { return pic.chips_[index].*member; });
        };
        save("IRR", &Pic8259Chip::irr);
        save("ISR", &Pic8259Chip::isr);
        save("IMR", &Pic8259Chip::imr);
        save("inputs", &Pic8259Chip::inputs);
        save("ELCR", &Pic8259Chip::elcr);
        save("ICW2", &Pic8259Chip::icw2);
        save("ICW3", &Pic8259Chip::icw3);
        save("ICW4", &Pic8259Chip::icw4);
        save("single", &Pic8259Chip::single);
        save("needs-icw4", &Pic8259Chip::needs_icw4);
        save("expected-icw", &Pic8259Chip::expected_icw);
        save("lowest-priority", &Pic8259Chip::lowest_priority);
        save("special-mask", &Pic8259Chip::special_mask);
        save("rotate-in-auto-eoi", &Pic8259Chip::rotate_in_auto_eoi);
        save("read-isr", &Pic8259Chip::read_isr);
        save("poll", &Pic8259Chip::poll);
    }
}

// The input levels are the neighbours' and stay; the slave's request is one of them.
void Pic8259::reset(ResetKind) {
    for (auto& chip : chips_) {
        const std::uint8_t inputs = chip.inputs;
        chip = Pic8259Chip{};
        chip.inputs = inputs;
    }
    chips_[master].is_master = true;
    chips_[master].elcr_writable = master_elcr_writable;
    chips_[slave].elcr_writable = slave_elcr_writable;
    update();
}

void Pic8259::set_input(unsigned input, bool level) {
    if (input == cascade) return;
    chips_[input / 8].set_input(input % 8, level);
    update();
}

void Pic8259::update() {
    chips_[master].set_input(cascade, chips_[slave].interrupt());
    intr_.drive(chips_[master].interrupt());
}

std::int32_t Pic8259::acknowledge() {
    ++acknowledged_;
    const auto first = chips_[master].acknowledge();
    std::uint8_t vector = chips_[master].vector(first.level);
    if (first.spurious) ++spurious_;
    if (!first.spurious && first.level == cascade) {
        const auto second = chips_[slave].acknowledge();
        vector = chips_[slave].vector(second.level);
        if (second.spurious) ++spurious_;
        // INT drops in the acknowledge cycle, so what the slave still has pending is a new edge at
        // the master.
        chips_[master].set_input(cascade, false);
    }
    update();
    return vector;
}

template <unsigned chip>
std::uint64_t Pic8259::read(std::uint64_t offset, unsigned) {
    const std::uint8_t value = chips_[chip].read(static_cast<unsigned>(offset));
    update();  // a poll acknowledges
    return value;
}

template <unsigned chip>
void Pic8259::write(std::uint64_t offset, unsigned, std::uint64_t value) {
    chips_[chip].write(static_cast<unsigned>(offset), static_cast<std::uint8_t>(value));
    update();
}

std::uint64_t Pic8259::read_elcr(std::uint64_t offset, unsigned) const {
    return chips_[offset].read_elcr();
}

void Pic8259::write_elcr(std::uint64_t offset, unsigned, std::uint64_t value) {
    chips_[offset].write_elcr(static_cast<std::uint8_t>(value));
    update();
}

}  // namespace backplane::chipset
