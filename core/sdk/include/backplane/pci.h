// A PCI function as a member of a device: configuration space, base address registers, interrupts.
//
//   static void declare(Declaration<Card>& d)
//   {
//       d.type("example.card", "A card");
//       auto& bank = d.registers("registers", Width::Dword, "Registers");
//       ...
//       d.pci_function("slot", &Card::pci_, {.vendor = 0x1234, .device = 0x0001,
//                                            .class_code = 0x088000, .interrupt_pin = 1})
//           .bar(0, "registers")
//           .msi();
//   }
//
// The windows named there are placed by the guest through the base address registers. The function
// is reset before the device's own reset runs.
#pragma once

#include <backplane/address_space.h>
#include <backplane/connection.h>
#include <backplane/pci_config.h>
#include <backplane/pci_message_table.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

namespace backplane {

struct PciIdentity {
    std::uint16_t vendor = 0xffff, device = 0xffff;
    std::uint32_t class_code = 0;  // base class, subclass, programming interface: 0x010601
    std::uint8_t revision = 0;
    std::uint16_t subsystem_vendor = 0, subsystem = 0;
    std::uint8_t interrupt_pin = 0;  // 1 = INTA#; 0 = none
    bool multi_function = false;     // says of function 0 that the device has more
};

struct PciBar {
    bool prefetchable = false;
    bool is_64_bit = false;  // takes the next register too
};

class PciFunction {
public:
    static constexpr unsigned bars = 6, rom = 6;

    // ---- For the device ----

    PciConfig& config() { return config_; }
    const PciConfig& config() const { return config_; }

    // Asserts or releases the interrupt pin; for functions without messages, or a guest that has
    // not enabled them.
    void set_interrupt(bool level) {
        interrupt_ = level;
        update_pin();
    }

    // The guest wants messages instead of the pin.
    bool has_messages() const { return table_is_enabled() || msi_is_enabled(); }

    // Sends message `vector`; nothing when the guest enabled none.
    void notify(unsigned vector = 0) {
        if (table_is_enabled()) {
            if (const auto message = table_.raise(vector, table_is_masked())) send(*message);
        } else if (msi_is_enabled()) {
            notify_msi(vector);
        }
    }

    // One interrupt condition, however the guest wants to hear of it: the level of the pin, or a
    // message when the condition begins.
    void interrupt(bool level, unsigned vector = 0) {
        const bool begins = level && !interrupt_;
        set_interrupt(level);
        if (begins) notify(vector);
    }

    bool is_master() const {
        return (config_.get(pci::command, 2) & pci::command_master) != 0 && slot_;
    }

    // Direct memory access. False, with nothing done, when the guest did not let this function be
    // bus master.
    bool read(std::uint64_t address, std::span<std::byte> bytes) const {
        if (is_master()) memory().read(address, bytes);
        return is_master();
    }
    bool write(std::uint64_t address, std::span<const std::byte> bytes) const {
        if (is_master()) memory().write(address, bytes);
        return is_master();
    }
    // The bus's address spaces; once everything is connected.
    AddressSpace memory() const { return space(BACKPLANE_PCI_MEMORY); }
    AddressSpace io() const { return space(BACKPLANE_PCI_IO); }

    // A window declared with PciDeclaration::placed, for the device to place.
    backplane_link window(std::string_view name) const {
        for (const Window& each : windows_)
            if (each.index == by_device && each.name == name) return each.window;
        return {};
    }

    // The address in a base address register now, whether or not decoding is on.
    std::uint64_t bar_address(unsigned index) const {
        const unsigned offset = offset_of(index);
        std::uint64_t address = config_.get(offset, 4);
        if (index == rom) return address & ~std::uint64_t{0x7ff};
        if ((address & 1) != 0) return address & ~std::uint64_t{3};
        if ((address & 6) == 4) address |= std::uint64_t{config_.get(offset + 4, 4)} << 32;
        return address & ~std::uint64_t{15};
    }

    // ---- For Declaration: in the order of the calls there, before anything is connected ----

    void identify(const PciIdentity& identity) {
        identity_ = identity;
        config_.set(pci::vendor_id, 2, identity.vendor);
        config_.set(pci::device_id, 2, identity.device);
        config_.set(pci::revision_id, 1, identity.revision);
        config_.set(pci::class_code, 1, identity.class_code);
        config_.set(pci::class_code + 1, 2, identity.class_code >> 8);
        config_.set(pci::header_type, 1, identity.multi_function ? 0x80 : 0);
        config_.set(pci::subsystem_vendor_id, 2, identity.subsystem_vendor);
        config_.set(pci::subsystem_id, 2, identity.subsystem);
        config_.set(pci::interrupt_pin, 1, identity.interrupt_pin);
        config_.allow(pci::command, 2,
                      pci::command_io | pci::command_memory | pci::command_master |
                          pci::command_parity | pci::command_serr | pci::command_no_interrupt);
        config_.allow(pci::status, 2, 0, 0xf900);
        config_.allow(pci::cache_line_size, 2, 0xffff);
        config_.allow(pci::interrupt_line, 1, 0xff);
    }

    void add_bar(unsigned index, backplane_link window, const char* name, std::uint64_t bytes,
                 bool is_io, const PciBar& bar) {
        if (bytes == 0) return;
        const std::uint64_t decoded = std::bit_ceil(
            std::max<std::uint64_t>(bytes, index == rom ? 0x800 : (is_io ? 4 : 16)));
        const unsigned offset = offset_of(index);
        const auto flags = is_io ? 1u : (bar.prefetchable ? 8u : 0u) | (bar.is_64_bit ? 4u : 0u);
        const std::uint64_t mask = ~(decoded - 1);
        if (index == rom) {
            config_.allow(offset, 4, static_cast<std::uint32_t>(mask) | 1);
        } else {
            config_.set(offset, 4, flags);
            config_.allow(offset, 4, static_cast<std::uint32_t>(mask));
            if (bar.is_64_bit) config_.allow(offset + 4, 4, static_cast<std::uint32_t>(mask >> 32));
        }
        windows_.push_back({window, name, bytes, index, 0, is_io, bar_priority});
    }

    // A window at an address that nobody can change, decoded while the command register allows it:
    // VGA, IDE in compatibility mode.
    void add_fixed(backplane_link window, const char* name, std::uint64_t bytes, bool is_io,
                   std::uint64_t address) {
        windows_.push_back({window, name, bytes, fixed, address, is_io, bar_priority});
    }

    // A window that the device places as registers of its own say.
    void add_placed(backplane_link window, const char* name, std::uint64_t bytes, bool is_io) {
        windows_.push_back({window, name, bytes, by_device, 0, is_io, bar_priority});
    }

    // Message signalled interrupts with `vectors` (a power of two) messages, 64-bit addresses and
    // masks (6.8.1).
    void add_msi(unsigned vectors) {
        msi_ = config_.add_capability(0x05, 24);
        const auto capable = static_cast<unsigned>(std::countr_zero(vectors));
        config_.set(msi_ + 2u, 2, 0x0180 | (capable << 1));
        config_.allow(msi_ + 2u, 2, 0x0071);
        config_.allow(msi_ + 4u, 4, 0xffff'fffc);
        config_.allow(msi_ + 8u, 4, 0xffff'ffff);
        config_.allow(msi_ + 12u, 2, 0xffff);
        config_.allow(msi_ + 16u, 4, vectors >= 32 ? ~0u : (1u << vectors) - 1);
    }

    // MSI-X with `vectors` messages, whose table and pending bits lie at these offsets of a base
    // address register, over the window that is there (6.8.2).
    void add_msix(unsigned vectors, unsigned bar, std::uint32_t table, std::uint32_t pending) {
        msix_ = config_.add_capability(0x11, 12);
        config_.set(msix_ + 2u, 2, vectors - 1);
        config_.allow(msix_ + 2u, 2, 0xc000);
        config_.set(msix_ + 4u, 4, table | bar);
        config_.set(msix_ + 8u, 4, pending | bar);
        table_.resize(vectors, [this] { send_pending(); });
        windows_.push_back({table_.table_window(), "msi-x-table", table_.table_bytes(), bar, table,
                            false, table_priority});
        windows_.push_back({table_.pending_window(), "msi-x-pending", table_.pending_bytes(), bar,
                            pending, false, table_priority});
    }

    // Power management with D0 and D3hot and no events (PCI Bus Power Management 1.2).
    void add_power_management() {
        const unsigned offset = config_.add_capability(0x01, 8);
        config_.set(offset + 2, 2, 0x0003);
        config_.set(offset + 4, 2, 0x0008);  // state survives D3hot
        config_.allow(offset + 4, 2, 0x0003);
    }

    void on_config_write(std::function<void(unsigned offset, unsigned bytes)> call) {
        config_written_ = std::move(call);
    }

    // `owner` is the device's name, and outlives the function.
    void connect(backplane_link slot, const char* owner) {
        slot_ = Connection<backplane_pci_slot>{slot};
        owner_ = owner;
        const backplane_pci_function function{
            .struct_size = sizeof function,
            .reserved = 0,
            .read_config =
                [](void* user, std::uint32_t offset, std::uint32_t bytes) noexcept {
                    return static_cast<PciFunction*>(user)->config_.get(offset, bytes);
                },
            .write_config =
                [](void* user, std::uint32_t offset, std::uint32_t bytes,
                   std::uint32_t value) noexcept {
                    static_cast<PciFunction*>(user)->write_config(offset, bytes, value);
                },
            .user = this};
        slot_.call<&backplane_pci_slot::attach>(&function);
    }

    void reset() {
        config_.set(pci::command, 2, 0);
        config_.set(pci::status, 2, config_.get(pci::status, 2) & pci::status_capabilities);
        config_.set(pci::cache_line_size, 2, 0);
        config_.set(pci::interrupt_line, 1, 0);
        for (const Window& window : windows_) {
            if (window.index > rom) continue;
            const unsigned offset = offset_of(window.index);
            const std::uint32_t flags = window.index == rom ? 0 : config_.get(offset, 4) & 15;
            config_.set(offset, 4, flags & (window.is_io ? 1 : 15));
            if (!window.is_io && (flags & 4) != 0) config_.set(offset + 4, 4, 0);
        }
        if (msi_ != 0) {
            config_.set(msi_ + 2u, 2, config_.get(msi_ + 2u, 2) & 0x018e);
            for (unsigned at = 4; at < 24; at += 4)
                config_.set(msi_ + at, 4, 0);
        }
        if (msix_ != 0) config_.set(msix_ + 2u, 2, config_.get(msix_ + 2u, 2) & 0x07ff);
        table_.reset();
        interrupt_ = false;
        update();
    }

    void restored() { update(); }

    PciMessageTable& message_table() { return table_; }
    bool& saved_interrupt() { return interrupt_; }
    bool& saved_pin() { return pin_; }

private:
    static constexpr unsigned fixed = 7, by_device = 8;
    // Below what the machine file maps, so that no guest can put a card over its memory.
    static constexpr std::int32_t bar_priority = -2, table_priority = -1;

    struct Window {
        backplane_link window;
        const char* name;
        std::uint64_t bytes;
        unsigned index;         // base address register, rom, fixed or by_device
        std::uint64_t address;  // fixed: where; otherwise beyond the register's address
        bool is_io;
        std::int32_t priority;
        Placement placement{};
        std::uint64_t placed_at = ~std::uint64_t{0};
    };

    AddressSpace space(backplane_pci_space which) const {
        return AddressSpace{slot_.call<&backplane_pci_slot::space>(std::uint32_t{which}), owner_};
    }

    static constexpr unsigned offset_of(unsigned index) {
        return index == rom ? pci::rom_address : pci::base_address + 4 * index;
    }

    void write_config(unsigned offset, unsigned bytes, std::uint32_t value) {
        config_.write(offset, bytes, value);
        update();
        if (config_written_) config_written_(offset, bytes);
    }

    void update() {
        for (Window& window : windows_)
            update(window);
        update_pin();
        send_pending();
    }

    // Messages that waited behind masks which are gone now.
    void send_pending() {
        if (table_is_enabled() && !table_is_masked())
            for (const PciMessage& message : table_.take_pending())
                send(message);
        if (!msi_is_enabled()) return;
        const std::uint32_t waiting = config_.get(msi_ + 20u, 4);
        const std::uint32_t ready = waiting & ~config_.get(msi_ + 16u, 4);
        if (ready == 0) return;
        config_.set(msi_ + 20u, 4, waiting & ~ready);
        for (unsigned vector = 0; vector < 32; ++vector)
            if (((ready >> vector) & 1) != 0) notify_msi(vector);
    }

    bool decodes(const Window& window) const {
        const auto command = config_.get(pci::command, 2);
        if ((command & (window.is_io ? pci::command_io : pci::command_memory)) == 0) return false;
        return window.index != rom || (config_.get(pci::rom_address, 4) & 1) != 0;
    }

    void update(Window& window) {
        if (!slot_ || window.index == by_device) return;
        constexpr auto nowhere = ~std::uint64_t{0};
        std::uint64_t address = nowhere;
        if (decodes(window))
            address = (window.index == fixed ? 0 : bar_address(window.index)) + window.address;
        if (address == window.placed_at) return;
        window.placement.remove();
        window.placed_at = address;
        if (address == nowhere) return;
        window.placement =
            (window.is_io ? io() : memory())
                .place(window.window, window.name,
                       {.address = address, .size = window.bytes, .priority = window.priority});
    }

    // The pin is released while the guest disabled it, or uses messages (6.8.2: a function that has
    // messages enabled must not use INTx#).
    void update_pin() {
        auto status = config_.get(pci::status, 2) & ~pci::status_interrupt;
        if (interrupt_) status |= pci::status_interrupt;
        config_.set(pci::status, 2, status);
        const bool is_disabled = (config_.get(pci::command, 2) & pci::command_no_interrupt) != 0;
        const bool level = interrupt_ && !is_disabled && !has_messages();
        if (level == pin_ || identity_.interrupt_pin == 0) return;
        pin_ = level;
        if (slot_)
            slot_.call<&backplane_pci_slot::set_interrupt>(std::uint32_t{identity_.interrupt_pin},
                                                           std::int32_t{level});
    }

    bool msi_is_enabled() const { return msi_ != 0 && (config_.get(msi_ + 2u, 1) & 1) != 0; }
    bool table_is_enabled() const {
        return msix_ != 0 && (config_.get(msix_ + 2u, 2) & 0x8000) != 0;
    }
    bool table_is_masked() const { return (config_.get(msix_ + 2u, 2) & 0x4000) != 0; }

    void notify_msi(unsigned vector) {
        const unsigned enabled = 1u << std::min((config_.get(msi_ + 2u, 1) >> 4) & 7, 5u);
        vector &= enabled - 1;
        if (((config_.get(msi_ + 16u, 4) >> vector) & 1) != 0) {
            config_.set(msi_ + 20u, 4, config_.get(msi_ + 20u, 4) | (1u << vector));
            return;
        }
        const std::uint64_t address = config_.get(msi_ + 4u, 4) |
                                      std::uint64_t{config_.get(msi_ + 8u, 4)} << 32;
        send({address, (config_.get(msi_ + 12u, 2) & ~(enabled - 1)) | vector});
    }

    void send(PciMessage message) {
        if (is_master())
            slot_.call<&backplane_pci_slot::send_message>(message.address, message.data);
    }

    PciConfig config_;
    PciIdentity identity_;
    std::vector<Window> windows_;
    PciMessageTable table_;
    std::uint8_t msi_ = 0, msix_ = 0;  // offsets of the capabilities, 0 = none
    bool interrupt_ = false;           // the device's condition
    bool pin_ = false;                 // what the bus was told
    std::function<void(unsigned, unsigned)> config_written_;
    Connection<backplane_pci_slot> slot_;
    const char* owner_ = "";
};

}  // namespace backplane
