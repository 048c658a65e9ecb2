#include "pci_bus.h"

namespace backplane::chipset {

namespace {

constexpr std::uint64_t message_base = 0xfee0'0000, message_size = 0x10'0000;
constexpr unsigned functions_per_device = 8;

std::uint32_t ones(unsigned size) { return ~std::uint32_t{0} >> (32 - size * 8); }

}  // namespace

const backplane_pci_slot PciBus::slot_functions{
    .struct_size = sizeof(backplane_pci_slot),
    .reserved = 0,
    .attach =
        [](void* object, const backplane_pci_function* function) noexcept {
            static_cast<Slot*>(object)->function = *function;
        },
    .set_interrupt =
        [](void* object, std::uint32_t pin, std::int32_t level) noexcept {
            auto& slot = *static_cast<Slot*>(object);
            slot.bus->set_interrupt(slot.number, pin, level != 0);
        },
    .send_message =
        [](void* object, std::uint64_t address, std::uint32_t data) noexcept {
            static_cast<Slot*>(object)->bus->send_message(address, data);
        },
    .space =
        [](void* object, std::uint32_t which) noexcept {
            const PciBus& bus = *static_cast<Slot*>(object)->bus;
            return (which == BACKPLANE_PCI_IO ? bus.io_ : bus.memory_).connection().link();
        },
    .config_size =
        [](void* object) noexcept { return static_cast<Slot*>(object)->bus->config_size_; }};

PciBus::PciBus(std::uint32_t config_size) : config_size_{config_size} {
    for (unsigned number = 0; number < slots_.size(); ++number)
        slots_[number] = {this, static_cast<std::uint8_t>(number)};
}

std::uint32_t PciBus::read_config(unsigned function, unsigned offset, unsigned size) const {
    const auto& target = slots_[function].function;
    if (!target || offset + size > config_size_) return ones(size);
    return target->read_config(target->user, offset, size) & ones(size);
}

void PciBus::write_config(unsigned function, unsigned offset, unsigned size, std::uint32_t value) {
    const auto& target = slots_[function].function;
    if (!target || offset + size > config_size_) return;
    target->write_config(target->user, offset, size, value & ones(size));
}

// The pins of a device's functions are wired together (PCI Local Bus Specification 3.0, 2.2.6).
void PciBus::set_interrupt(unsigned number, unsigned pin, bool level) {
    if (pin < 1 || pin > 4) return;
    const auto bit = static_cast<std::uint8_t>(1 << (pin - 1));
    pins_[number] = static_cast<std::uint8_t>(level ? pins_[number] | bit : pins_[number] & ~bit);
    const unsigned device = number / functions_per_device;
    bool any = false;
    for (unsigned function = 0; function < functions_per_device; ++function)
        any |= (pins_[device * functions_per_device + function] & bit) != 0;
    if (router_)
        router_.call<&backplane_pci_interrupt_router::set>(device, std::uint32_t{pin},
                                                           std::int32_t{any});
}

// A message is a memory write; those to 0xFEExxxxx are for the local APICs (SDM 3A 11.11), any
// other is just a write.
void PciBus::send_message(std::uint64_t address, std::uint32_t data) {
    if (address < message_base || address >= message_base + message_size)
        return memory_.write(address, data);
    for (const auto& receiver : messages_)
        receiver.call<&backplane_message_interrupt::send>(address, data);
}

}  // namespace backplane::chipset
