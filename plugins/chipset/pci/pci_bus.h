// A PCI bus below a host bridge: its slots, the configuration cycles on it, and the interrupt pins
// of its devices.
#pragma once

#include <backplane/sdk.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace backplane::chipset {

class PciBus {
public:
    using Messages = std::vector<Connection<backplane_message_interrupt>>;

    // Bytes of configuration space behind this bridge: 256, or 4096 with ECAM.
    explicit PciBus(std::uint32_t config_size);

    // The ports of the bridge that the bus needs; `bus` gives the bus of a bridge.
    template <class Bridge> static void declare(Declaration<Bridge>& d, PciBus& (*bus)(Bridge&));

    backplane_link slot(unsigned element) { return {&slot_functions, &slots_[element]}; }

    // Function number is device * 8 + function. What is absent reads as all ones.
    std::uint32_t read_config(unsigned function, unsigned offset, unsigned size) const;
    void write_config(unsigned function, unsigned offset, unsigned size, std::uint32_t value);

    const AddressSpace& memory() const { return memory_; }
    const AddressSpace& io() const { return io_; }

private:
    struct Slot {
        PciBus* bus;
        std::uint8_t number;
        std::optional<backplane_pci_function> function{};
    };

    void set_interrupt(unsigned number, unsigned pin, bool level);
    void send_message(std::uint64_t address, std::uint32_t data);

    static const backplane_pci_slot slot_functions;

    std::uint32_t config_size_;
    std::array<Slot, BACKPLANE_PCI_SLOTS> slots_;
    // Bit pin - 1 of every function that drives its pin.
    std::array<std::uint8_t, BACKPLANE_PCI_SLOTS> pins_{};
    AddressSpace memory_, io_;
    Messages messages_;
    Connection<backplane_pci_interrupt_router> router_;
};

template <class Bridge>
void PciBus::declare(Declaration<Bridge>& d, PciBus& (*bus)(Bridge&)) {
    d.address_space(
        "memory", [bus](Bridge& b) -> AddressSpace& { return bus(b).memory_; },
        "Where memory windows are placed, and what bus masters reach");
    d.address_space(
        "io", [bus](Bridge& b) -> AddressSpace& { return bus(b).io_; },
        "Where port windows are placed", "io");
    d.connects_all(
        "messages", [bus](Bridge& b) -> Messages& { return bus(b).messages_; },
        "Receivers of message signalled interrupts: the local APICs");
    d.connects(
        "interrupt-router", [bus](Bridge& b) -> auto& { return bus(b).router_; },
        "The ISA bridge that routes INTA# to INTD#", Optional::Yes);
    d.saved("pins", [bus](Bridge& b) -> auto& { return bus(b).pins_; });
}

}  // namespace backplane::chipset
