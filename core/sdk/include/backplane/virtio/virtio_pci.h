// The virtio transport over PCI (virtio 1.2, chapter 4.1): what a virtio device on a PCI bus is
// derived from. virtio_device.h tells what a device adds, and docs/plugins.md has an example.
//
// All registers of the modern interface lie behind base address register 4, in pages of their own;
// the legacy interface, where the machine file asks for it, in the I/O ports of number 0.
#pragma once

#include <backplane/virtio/field_access.h>
#include <backplane/virtio/virtio_device.h>
#include <backplane/virtio/windowed_function.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <expected>
#include <string>

namespace backplane::virtio {

struct VirtioIdentity {
    std::uint16_t type;                  // of device: 2 is a block device (virtio 1.2, chapter 5)
    std::uint32_t class_code;            // as PCI knows it
    unsigned queues;                     // as many as an instance can have, at most 63
    std::uint16_t legacy_device_id = 0;  // 0x1001; 0: there is no legacy interface (4.1.2.1)
};

class VirtioPci : public VirtioDevice {
public:
    Outcome start();
    void reset(ResetKind);
    void restored();

protected:
    ~VirtioPci() = default;

    // In `declare`, after `type`.
    template <class T>
    static void declare_virtio(Declaration<T>& d, const VirtioIdentity& identity);

    WindowedFunction& pci() { return pci_; }
    // A device that is not there: the bus finds nothing in its slot. In `start`.
    void hide() { pci_.set_hidden(true); }

    // VirtioDevice
    void interrupt_queue(unsigned index) override;
    void interrupt_config() override;
    bool can_reach_memory() const override { return pci_.is_master(); }
    std::uint64_t transport_features() const override;
    void transport_reset() override;

private:
    // Behind base address register 4.
    static constexpr std::uint32_t page = 0x1000, common_page = 0, isr_page = 1, config_page = 2,
                                   notify_page = 3;
    static constexpr std::uint32_t message_table = 4 * page, pending_bits = message_table + 0x800,
                                   registers_size = 8 * page;
    static constexpr unsigned registers_bar = 4, legacy_bar = 0;
    static constexpr std::uint32_t notify_multiplier = 4;
    static constexpr unsigned legacy_size = 128, legacy_page_shift = 12;
    static constexpr std::uint8_t queue_interrupt = 1, config_interrupt = 2;  // of ISR status

    std::uint64_t read_registers(std::uint64_t offset, unsigned bytes);
    void write_registers(std::uint64_t offset, unsigned bytes, std::uint64_t value);
    std::uint64_t common_field(unsigned offset);
    void set_common_field(unsigned offset, std::uint64_t value);
    void set_queue_field(unsigned offset, std::uint64_t value);

    std::uint64_t read_legacy(std::uint64_t offset, unsigned bytes);
    void write_legacy(std::uint64_t offset, unsigned bytes, std::uint64_t value);
    std::uint64_t legacy_field(unsigned offset);
    void set_legacy_field(unsigned offset, std::uint64_t value);
    void place_legacy_queue(std::uint32_t page_number);
    // Where the device's configuration begins there: after the vectors, if there are any.
    unsigned legacy_header() const { return pci_.has_messages() ? 24 : 20; }

    std::uint64_t read_config(std::uint64_t offset, unsigned bytes) const;
    std::uint8_t take_interrupt_status();
    std::uint16_t possible_vector(std::uint64_t vector) const {
        return static_cast<std::uint16_t>(vector <= queue_count() ? vector : no_vector);
    }
    void pci_config_written(unsigned offset, unsigned bytes);
    void add_capabilities();
    unsigned add_capability(std::uint8_t which, std::uint32_t page_number, std::uint32_t bytes,
                            unsigned more = 0);

    static constexpr std::array<RegisterField, 21> common_fields{{
        {0x00, 4, "device_feature_select", "Which 32 bits device_feature shows"},
        {0x04, 4, "device_feature", "Features the device offers"},
        {0x08, 4, "driver_feature_select", "Which 32 bits driver_feature sets"},
        {0x0c, 4, "driver_feature", "Features the driver accepts"},
        {0x10, 2, "config_msix_vector", "Message of a changed configuration"},
        {0x12, 2, "num_queues", "Queues of the device"},
        {0x14, 1, "device_status", "Written 0: reset"},
        {0x15, 1, "config_generation", "Changes with the device's configuration"},
        {0x16, 2, "queue_select", "Which queue the following are of"},
        {0x18, 2, "queue_size", "Descriptors; 0: there is no such queue"},
        {0x1a, 2, "queue_msix_vector", "Message of the queue"},
        {0x1c, 2, "queue_enable", "Written 1: the queue is used from now on"},
        {0x1e, 2, "queue_notify_off", "Which notification register"},
        {0x20, 4, "queue_desc", "Address of the descriptors"},
        {0x24, 4, "queue_desc_high", "Its upper half"},
        {0x28, 4, "queue_driver", "Address of the driver's part"},
        {0x2c, 4, "queue_driver_high", "Its upper half"},
        {0x30, 4, "queue_device", "Address of the device's part"},
        {0x34, 4, "queue_device_high", "Its upper half"},
        {0x38, 2, "queue_notify_data", "What to write as notification"},
        {0x3a, 2, "queue_reset", "Written 1: the queue is as after a reset"},
    }};
    static constexpr std::array<RegisterField, 10> legacy_fields{{
        {0, 4, "host_features", "Features the device offers"},
        {4, 4, "guest_features", "Features the driver accepts"},
        {8, 4, "queue_address", "Page of the queue; 0: not used"},
        {12, 2, "queue_size", "Descriptors; 0: there is no such queue"},
        {14, 2, "queue_select", "Which queue"},
        {16, 2, "queue_notify", "Number of the queue to look at"},
        {18, 1, "device_status", "Written 0: reset"},
        {19, 1, "isr_status", "1: a queue, 2: the configuration; reading clears it"},
        {20, 2, "config_msix_vector", "Only while messages are enabled"},
        {22, 2, "queue_msix_vector", "Only while messages are enabled"},
    }};

    WindowedFunction pci_;
    VirtioIdentity identity_{};
    bool transitional_ = true, packed_ = true;

    std::uint32_t device_feature_select_ = 0, driver_feature_select_ = 0;
    std::uint16_t queue_select_ = 0, config_vector_ = no_vector;
    std::uint8_t interrupt_status_ = 0;
    bool was_master_ = false;
};

template <class T>
void VirtioPci::declare_virtio(Declaration<T>& d, const VirtioIdentity& identity) {
    d.property("packed", static_cast<bool T::*>(&VirtioPci::packed_),
               "Offer packed rings to the driver");
    if (identity.legacy_device_id != 0)
        d.property("transitional", static_cast<bool T::*>(&VirtioPci::transitional_),
                   "Serve drivers from before virtio 1.0 too");
    auto registers =
        d.template memory_window<&VirtioPci::read_registers, &VirtioPci::write_registers>(
            "registers", registers_size, "Common configuration, interrupt status, device, queues");
    for (const RegisterField& field : common_fields)
        registers.reg(field.offset, field.name, field.doc, field.width);
    registers.reg(isr_page * page, "isr_status", legacy_fields[7].doc);
    auto legacy = d.template port_window<&VirtioPci::read_legacy, &VirtioPci::write_legacy>(
        "legacy", legacy_size, "Registers as before virtio 1.0");
    for (const RegisterField& field : legacy_fields)
        legacy.reg(field.offset, field.name, field.doc, field.width);
    // The function is asked for first when a device is made: by this it learns what it is.
    d.pci_function("slot",
                   [identity](T& t) -> auto& {
                       t.VirtioPci::identity_ = identity;
                       return t.VirtioPci::pci_;
                   },
                   {.vendor = 0x1af4,
                    .device = static_cast<std::uint16_t>(0x1040 + identity.type),
                    .class_code = identity.class_code,
                    .revision = 1,
                    .subsystem_vendor = 0x1af4,
                    .subsystem = 0x1100,
                    .interrupt_pin = 1})
        .bar(registers_bar, "registers")
        .placed("legacy")
        .template on_config_write<&VirtioPci::pci_config_written>();
    d.saved("message-table",
            [](T& t) -> auto& { return t.VirtioPci::pci_.message_table().saved_entries(); });
    d.saved("pending-messages",
            [](T& t) -> auto& { return t.VirtioPci::pci_.message_table().saved_pending(); });
    d.saved("device-feature-select",
            [](T& t) -> auto& { return t.VirtioPci::device_feature_select_; });
    d.saved("driver-feature-select",
            [](T& t) -> auto& { return t.VirtioPci::driver_feature_select_; });
    d.saved("queue-select", [](T& t) -> auto& { return t.VirtioPci::queue_select_; });
    d.saved("config-vector", [](T& t) -> auto& { return t.VirtioPci::config_vector_; });
    d.saved("isr-status", [](T& t) -> auto& { return t.VirtioPci::interrupt_status_; });
    VirtioDevice::declare_device(d, identity.queues);
}

// ---- Life ----

inline Outcome VirtioPci::start() {
    if (queue_count() > std::min(identity_.queues, PciMessageTable::max_vectors - 1))
        return std::unexpected("it cannot have " + std::to_string(queue_count()) + " queues");
    transitional_ = transitional_ && identity_.legacy_device_id != 0;
    start_queues(pci_.memory(), transitional_);
    if (transitional_) {
        // 4.1.2.1: by these a legacy driver knows the device.
        pci_.config().set(pci::device_id, 2, identity_.legacy_device_id);
        pci_.config().set(pci::revision_id, 1, 0);
        pci_.config().set(pci::subsystem_id, 2, identity_.type);
        pci_.add_bar(legacy_bar, pci_.window("legacy"), "legacy", legacy_size, true, {});
    }
    add_capabilities();
    return {};
}

// 4.1.4: where each structure is. Each goes in front of those before.
inline void VirtioPci::add_capabilities() {
    constexpr std::uint8_t common = 1, notify = 2, isr = 3, device = 4, window = 5;
    pci_.add_msix(queue_count() + 1, registers_bar, message_table, pending_bits);
    const unsigned place = add_capability(window, 0, 0, 4);
    pci_.add_window(
        place,
        [this](unsigned bar, std::uint64_t offset, unsigned bytes) -> std::uint32_t {
            if (bar == registers_bar && offset + bytes <= registers_size)
                return static_cast<std::uint32_t>(read_registers(offset, bytes));
            if (bar == legacy_bar && transitional_ && offset + bytes <= legacy_size)
                return static_cast<std::uint32_t>(read_legacy(offset, bytes));
            return 0;
        },
        [this](unsigned bar, std::uint64_t offset, unsigned bytes, std::uint32_t value) {
            if (bar == registers_bar && offset + bytes <= registers_size)
                write_registers(offset, bytes, value);
            else if (bar == legacy_bar && transitional_ && offset + bytes <= legacy_size)
                write_legacy(offset, bytes, value);
        });
    add_capability(device, config_page, config_size);
    add_capability(isr, isr_page, 1);
    const unsigned last = add_capability(notify, notify_page, notify_multiplier * queue_count(), 4);
    pci_.config().set(last + 16, 4, notify_multiplier);
    add_capability(common, common_page, 0x3c);
}

inline unsigned VirtioPci::add_capability(std::uint8_t which, std::uint32_t page_number,
                                          std::uint32_t bytes, unsigned more) {
    auto& config = pci_.config();
    const unsigned place = config.add_capability(0x09, 16 + more);
    config.set(place + 2, 1, 16 + more);
    config.set(place + 3, 1, which);
    config.set(place + 4, 1, bytes != 0 ? registers_bar : 0);
    config.set(place + 8, 4, page_number * page);
    config.set(place + 12, 4, bytes);
    return place;
}

inline void VirtioPci::reset(ResetKind) {
    pci_.reset_window();
    was_master_ = false;
    reset_device();
}

inline void VirtioPci::restored() {
    was_master_ = pci_.is_master();
    VirtioDevice::restored();
}

inline void VirtioPci::transport_reset() {
    device_feature_select_ = driver_feature_select_ = 0;
    queue_select_ = 0;
    config_vector_ = no_vector;
    interrupt_status_ = 0;
    pci_.set_interrupt(false);
}

inline std::uint64_t VirtioPci::transport_features() const {
    return feature::indirect_descriptors | feature::event_index | feature::version_1 |
           feature::ring_reset | (packed_ ? feature::ring_packed : 0) |
           (transitional_ ? feature::any_layout : 0);
}

// ---- Interrupts (4.1.4.5 and 4.1.5.1.2) ----

inline void VirtioPci::interrupt_queue(unsigned index) {
    if (pci_.has_messages()) {
        if (queue(index).state.vector != no_vector) pci_.notify(queue(index).state.vector);
        return;
    }
    interrupt_status_ |= queue_interrupt;
    pci_.set_interrupt(true);
}

inline void VirtioPci::interrupt_config() {
    interrupt_status_ |= config_interrupt;
    pci_.set_interrupt(true);
    if (pci_.has_messages() && config_vector_ != no_vector) pci_.notify(config_vector_);
}

inline std::uint8_t VirtioPci::take_interrupt_status() {
    const std::uint8_t status = interrupt_status_;
    interrupt_status_ = 0;
    pci_.set_interrupt(false);
    return status;
}

// A driver may make chains available, and only then let the function be bus master.
inline void VirtioPci::pci_config_written(unsigned offset, unsigned bytes) {
    pci_.config_written(offset, bytes);
    const bool begins = pci_.is_master() && !was_master_;
    was_master_ = pci_.is_master();
    if (begins) notify_all();
}

}  // namespace backplane::virtio

#include <backplane/virtio/virtio_pci_registers.h>
