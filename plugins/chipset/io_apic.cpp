#include "io_apic.h"

#include "interrupt_message.h"

namespace backplane::chipset {

namespace {

constexpr std::uint64_t ioregsel_offset = 0x00, iowin_offset = 0x10;

enum Register : std::uint8_t {
    id_reg = 0,
    version_reg = 1,
    arbitration_reg = 2,
    redirection_table = 0x10
};

constexpr std::uint32_t version = 0x11;

namespace entry_bits {
constexpr std::uint64_t logical = 1u << 11, delivery_status = 1u << 12, remote_irr = 1u << 14;
constexpr std::uint64_t level_triggered = 1u << 15, masked = 1u << 16;
constexpr std::uint64_t writable = 0xff00'0000'0001'ffff & ~(delivery_status | remote_irr);
}  // namespace entry_bits

const backplane_end_of_interrupt end_functions{sizeof(backplane_end_of_interrupt), 0,
                                               thunk<&IoApic::end_of_interrupt>};

}  // namespace

void IoApic::declare(Declaration<IoApic>& d) {
    d.type("chipset.io-apic", "I/O APIC with 24 inputs");
    d.property("id", &IoApic::initial_id_, "APIC ID after reset")
        .range(std::uint8_t{0}, std::uint8_t{15});
    d.memory_window<&IoApic::read, &IoApic::write>("registers", 0x1000,
                                                   "Index and data, at 0xFEC00000")
        .reg(ioregsel_offset, "IOREGSEL", "Index of the register behind IOWIN", 4)
        .reg(iowin_offset, "IOWIN", "0: ID, 1: version, 2: arbitration, 0x10 up: redirection table",
             4);
    d.line_inputs<&IoApic::set_input>(
        "inputs", input_count,
        "INTIN0 to INTIN23, high when asserted whatever the polarity bit says");
    d.connects_all("messages", &IoApic::messages_, "The local APICs");
    d.provides("end-of-interrupt", end_functions,
               "Told when a local APIC ends a level triggered interrupt");
    d.counter("messages", &IoApic::sent_, "messages", "Interrupt messages that a local APIC took");
    d.saved("IOREGSEL", &IoApic::ioregsel_);
    d.saved("ID", &IoApic::id_);
    d.saved("redirection", &IoApic::redirection_);
    d.saved("inputs", &IoApic::inputs_);
}

void IoApic::reset(ResetKind) {
    ioregsel_ = 0;
    id_ = initial_id_;
    redirection_.fill(entry_bits::masked);
}

// Registers are 32 bits wide and 16 bytes apart; smaller accesses get a part of them.
std::uint64_t IoApic::read(std::uint64_t offset, unsigned) {
    const std::uint64_t which = offset & ~std::uint64_t{3};
    const unsigned shift = (offset & 3) * 8;
    if (which == ioregsel_offset) return ioregsel_ >> shift;
    if (which == iowin_offset) return read_register(ioregsel_) >> shift;
    return 0;
}

void IoApic::write(std::uint64_t offset, unsigned size, std::uint64_t value) {
    if (offset == ioregsel_offset)
        ioregsel_ = static_cast<std::uint8_t>(value);
    else if (offset == iowin_offset && size >= 4)
        write_register(ioregsel_, static_cast<std::uint32_t>(value));
}

std::uint32_t IoApic::read_register(std::uint8_t index) const {
    switch (index) {
    case id_reg:
    case arbitration_reg: return std::uint32_t{id_} << 24;
    case version_reg: return version | (input_count - 1) << 16;
    default: break;
    }
    const unsigned input = (index - redirection_table) / 2u;
    if (index < redirection_table || input >= input_count) return 0;
    return static_cast<std::uint32_t>(redirection_[input] >> (index % 2 * 32));
}

void IoApic::write_register(std::uint8_t index, std::uint32_t value) {
    if (index == id_reg) {
        id_ = value >> 24 & 0x0f;
        return;
    }
    const unsigned input = (index - redirection_table) / 2u;
    if (index >= redirection_table && input < input_count)
        write_redirection(input, index % 2 != 0, value);
}

void IoApic::write_redirection(unsigned input, bool high_half, std::uint32_t value) {
    std::uint64_t& entry = redirection_[input];
    const unsigned shift = high_half ? 32 : 0;
    const std::uint64_t changed = entry_bits::writable & std::uint64_t{0xffff'ffff} << shift;
    entry = (entry & ~changed) | (std::uint64_t{value} << shift & changed);
    // Remote IRR means nothing for edges; Linux makes an entry edge triggered for a moment to clear
    // it.
    if (!is_level_triggered(entry)) entry &= ~entry_bits::remote_irr;
    service_level(input);
}

// Only fixed and lowest priority interrupts can be level triggered; the others are edges whatever
// their entry says.
bool IoApic::is_level_triggered(std::uint64_t entry) {
    return (entry & entry_bits::level_triggered) != 0 &&
           (entry >> 8 & 7) <= static_cast<unsigned>(DeliveryMode::LowestPriority);
}

// An edge that finds its entry masked is lost (82093AA, 3.2.4, bit 16).
void IoApic::set_input(unsigned input, bool level) {
    const std::uint32_t mask = 1u << input;
    const bool rises = level && (inputs_ & mask) == 0;
    inputs_ = level ? inputs_ | mask : inputs_ & ~mask;
    const std::uint64_t entry = redirection_[input];
    if (is_level_triggered(entry))
        service_level(input);
    else if (rises && (entry & entry_bits::masked) == 0)
        deliver(entry);
}

// Sends again for as long as the input is high and the previous message was ended.
void IoApic::service_level(unsigned input) {
    std::uint64_t& entry = redirection_[input];
    if (!is_level_triggered(entry) || (entry & (entry_bits::masked | entry_bits::remote_irr)) != 0)
        return;
    if ((inputs_ >> input & 1) == 0) return;
    // Set before delivery: the interrupt may be ended before that returns.
    entry |= entry_bits::remote_irr;
    if (!deliver(entry)) entry &= ~entry_bits::remote_irr;
}

// Lowest priority goes to the first that takes it, the others to all.
bool IoApic::deliver(std::uint64_t entry) {
    const InterruptMessage message{.destination = static_cast<std::uint32_t>(entry >> 56),
                                   .logical = (entry & entry_bits::logical) != 0,
                                   .mode = static_cast<DeliveryMode>(entry >> 8 & 7),
                                   .vector = static_cast<std::uint8_t>(entry),
                                   .level_triggered = is_level_triggered(entry)};
    bool taken = false;
    for (const auto& receiver : messages_) {
        if (receiver.call<&backplane_message_interrupt::send>(message.address(), message.data()) ==
            0)
            continue;
        taken = true;
        if (message.mode == DeliveryMode::LowestPriority) break;
    }
    if (taken) ++sent_;
    return taken;
}

void IoApic::end_of_interrupt(std::uint8_t vector) {
    for (unsigned input = 0; input < input_count; ++input) {
        std::uint64_t& entry = redirection_[input];
        if ((entry & entry_bits::remote_irr) == 0 || static_cast<std::uint8_t>(entry) != vector)
            continue;
        entry &= ~entry_bits::remote_irr;
        service_level(input);
    }
}

}  // namespace backplane::chipset
