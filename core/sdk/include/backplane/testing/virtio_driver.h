// The other side of a virtio device on PCI, for tests: a driver that finds the registers by the
// capabilities, negotiates, and keeps queues in either layout in the memory of a FakePciSlot.
//
//   VirtioDriver driver{slot};
//   driver.negotiate(feature::version_1 | feature::ring_packed);
//   VirtioDriverQueue& queue = driver.add_queue(0, 0x10000);
//   driver.ready();
//   queue.add({{0x20000, 16}, {0x21000, 512, true}});
//   driver.notify(0);
//   EXPECT_EQ(queue.take_used()->length, 512u);
//
// Tests that misbehave write into the slot's memory: the places of all parts are public.
#pragma once

#include <backplane/testing/fake_pci_slot.h>
#include <backplane/virtio/features.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

namespace backplane::testing {

struct VirtioBuffer {
    std::uint64_t address;
    std::uint32_t length;
    bool device_writes = false;
};

struct VirtioUsed {
    std::uint16_t id;
    std::uint32_t length;
    bool operator==(const VirtioUsed&) const = default;
};

// One queue from `base` on: descriptors, then the driver's part, then the device's part, then room
// for indirect tables, one of 64 descriptors for each id.
class VirtioDriverQueue {
public:
    VirtioDriverQueue(PlacedSpace& memory, std::uint64_t base, std::uint16_t size,
                      std::uint64_t features)
        : size{size}, is_packed{(features & virtio::feature::ring_packed) != 0},
          has_events{(features & virtio::feature::event_index) != 0}, descriptors{base},
          driver_area{base + std::uint64_t{16} * size},
          device_area{aligned(driver_area + 6 + std::uint64_t{2} * size)},
          tables{aligned(device_area + 6 + std::uint64_t{8} * size)}, memory_{memory} {
        for (std::uint64_t at = base; at < tables; ++at)
            memory.write(at, 1, 0);
        for (std::uint16_t id = 0; id < size; ++id)
            free_.push_back(id);
    }

    // Makes a chain available, and gives what it is known by.
    std::uint16_t add(const std::vector<VirtioBuffer>& buffers, bool indirect = false) {
        return is_packed ? add_packed(buffers, indirect) : add_split(buffers, indirect);
    }

    std::optional<VirtioUsed> take_used() { return is_packed ? take_packed() : take_split(); }

    // Whether the device asked to be notified of what was added last.
    bool must_notify() {
        if (is_packed) {
            const auto flags = read16(device_area + 2) & 3;
            if (flags != 2) return flags == 0;
            return true;  // decided by place; notifying too often is allowed
        }
        if (!has_events) return (read16(device_area) & 1) == 0;
        const auto event = read16(device_area + 4 + 8u * size);
        return static_cast<std::uint16_t>(available_ - event - 1) <
               static_cast<std::uint16_t>(available_ - notified_);
    }
    void notified() { notified_ = available_; }

    void set_interrupts(bool wanted) {
        if (is_packed)
            write16(driver_area + 2, wanted ? 0 : 1);
        else
            write16(driver_area, wanted ? 0 : 1);
    }
    // Asks for an interrupt when `more` chains after those taken by now are given back.
    void interrupt_after(std::uint16_t more) {
        if (!is_packed) {
            write16(driver_area + 4 + 2u * size, static_cast<std::uint16_t>(used_ + more));
            return;
        }
        std::uint32_t place = used_ + more;
        bool wrap = used_wrap_;
        if (place >= size) place -= size, wrap = !wrap;
        write16(driver_area, static_cast<std::uint16_t>(place | (wrap ? 0x8000u : 0u)));
        write16(driver_area + 2, 2);
    }

    std::uint16_t read16(std::uint64_t at) {
        return static_cast<std::uint16_t>(memory_.read(at, 2));
    }
    void write16(std::uint64_t at, unsigned value) { memory_.write(at, 2, value); }

    void write_descriptor(std::uint64_t at, std::uint64_t address, std::uint32_t length,
                          std::uint16_t third, std::uint16_t fourth) {
        memory_.write(at, 8, address);
        memory_.write(at + 8, 4, length);
        memory_.write(at + 12, 2, third);
        memory_.write(at + 14, 2, fourth);
    }

    const std::uint16_t size;
    const bool is_packed, has_events;
    const std::uint64_t descriptors, driver_area, device_area, tables;

private:
    static constexpr unsigned next = 1, write = 2, indirect = 4;
    static constexpr std::uint64_t table_bytes = 64 * 16;

    static std::uint64_t aligned(std::uint64_t at) { return (at + 15) / 16 * 16; }

    std::uint16_t take_free() {
        if (free_.empty()) throw std::length_error{"no descriptor is free"};
        const std::uint16_t id = free_.front();
        free_.pop_front();
        return id;
    }

    static unsigned flags_of(const std::vector<VirtioBuffer>& buffers, std::size_t index) {
        return (buffers[index].device_writes ? write : 0) | (index + 1 < buffers.size() ? next : 0);
    }

    std::uint16_t add_split(const std::vector<VirtioBuffer>& buffers, bool in_table) {
        std::vector<std::uint16_t> ids;
        for (std::size_t count = 0; count < (in_table ? 1 : buffers.size()); ++count)
            ids.push_back(take_free());
        const std::uint64_t table = tables + ids[0] * table_bytes;
        for (std::size_t index = 0; index < buffers.size(); ++index) {
            const std::uint64_t place = in_table ? table + index * 16
                                                 : descriptors + ids[index] * std::uint64_t{16};
            const auto following = index + 1 == buffers.size()
                                       ? std::uint16_t{0}
                                       : (in_table ? static_cast<std::uint16_t>(index + 1)
                                                   : ids[index + 1]);
            write_descriptor(place, buffers[index].address, buffers[index].length,
                             static_cast<std::uint16_t>(flags_of(buffers, index)), following);
        }
        if (in_table)
            write_descriptor(descriptors + ids[0] * std::uint64_t{16}, table,
                             static_cast<std::uint32_t>(buffers.size() * 16), indirect, 0);
        owned_[ids[0]] = ids;
        write16(driver_area + 4 + 2u * (available_ % size), ids[0]);
        write16(driver_area + 2, ++available_);
        return ids[0];
    }

    std::optional<VirtioUsed> take_split() {
        if (read16(device_area + 2) == used_) return std::nullopt;
        const std::uint64_t place = device_area + 4 + 8u * (used_++ % size);
        const VirtioUsed used{static_cast<std::uint16_t>(memory_.read(place, 4)),
                              static_cast<std::uint32_t>(memory_.read(place + 4, 4))};
        for (const std::uint16_t id : owned_[used.id])
            free_.push_back(id);
        owned_.erase(used.id);
        return used;
    }

    std::uint16_t add_packed(const std::vector<VirtioBuffer>& buffers, bool in_table) {
        const std::uint16_t id = take_free();
        const std::uint64_t table = tables + id * table_bytes;
        if (in_table)
            for (std::size_t index = 0; index < buffers.size(); ++index)
                write_descriptor(table + index * 16, buffers[index].address, buffers[index].length,
                                 0, buffers[index].device_writes ? write : 0);
        const std::size_t slots = in_table ? 1 : buffers.size();
        // The first descriptor's flags last: they hand the chain over.
        std::uint64_t first = 0;
        unsigned first_flags = 0;
        for (std::size_t index = 0; index < slots; ++index) {
            const std::uint64_t place = descriptors + std::uint64_t{16} * available_;
            unsigned flags = in_table ? indirect : flags_of(buffers, index);
            flags |= available_wrap_ ? 0x0080u : 0x8000u;
            const std::uint64_t address = in_table ? table : buffers[index].address;
            const auto length = in_table ? static_cast<std::uint32_t>(buffers.size() * 16)
                                         : buffers[index].length;
            memory_.write(place, 8, address);
            memory_.write(place + 8, 4, length);
            memory_.write(place + 12, 2, id);
            if (index == 0)
                first = place, first_flags = flags;
            else
                write16(place + 14, flags);
            if (++available_ == size) available_ = 0, available_wrap_ = !available_wrap_;
        }
        write16(first + 14, first_flags);
        slots_[id] = static_cast<std::uint16_t>(slots);
        return id;
    }

    std::optional<VirtioUsed> take_packed() {
        const std::uint64_t place = descriptors + std::uint64_t{16} * used_;
        const unsigned flags = read16(place + 14);
        const bool available = (flags & 0x0080) != 0, used = (flags & 0x8000) != 0;
        if (available != used || used != used_wrap_) return std::nullopt;
        const VirtioUsed result{read16(place + 12),
                                static_cast<std::uint32_t>(memory_.read(place + 8, 4))};
        used_ = static_cast<std::uint16_t>(used_ + slots_[result.id]);
        if (used_ >= size)
            used_ = static_cast<std::uint16_t>(used_ - size), used_wrap_ = !used_wrap_;
        free_.push_back(result.id);
        return result;
    }

    PlacedSpace& memory_;
    std::uint16_t available_ = 0, used_ = 0, notified_ = 0;
    bool available_wrap_ = true, used_wrap_ = true;
    std::deque<std::uint16_t> free_;
    std::map<std::uint16_t, std::vector<std::uint16_t>> owned_;  // split: descriptors by head
    std::map<std::uint16_t, std::uint16_t> slots_;               // packed: by id
};

class VirtioDriver {
public:
    static constexpr std::uint32_t registers_at = 0xe0000000, legacy_at = 0xc000;

    // Places the registers and lets the device be bus master.
    explicit VirtioDriver(FakePciSlot& slot) : slot_{slot} {
        slot.write_config(0x20, 4, registers_at);
        slot.write_config(0x10, 4, legacy_at);
        slot.enable();
        for (std::uint32_t at = slot.read_config(0x34, 1); at != 0;
             at = slot.read_config(at + 1, 1)) {
            if (slot.read_config(at, 1) == 0x11) message_capability = at;
            if (slot.read_config(at, 1) != 0x09) continue;
            const std::uint32_t which = slot.read_config(at + 3, 1);
            capabilities[which] = at;
            places_[which] = registers_at + slot.read_config(at + 8);
        }
        if (capabilities.contains(notify_cap))
            multiplier_ = slot.read_config(capabilities[notify_cap] + 16);
    }

    std::uint64_t common(unsigned offset, unsigned bytes) {
        return slot_.memory.read(places_.at(common_cap) + offset, bytes);
    }
    void set_common(unsigned offset, unsigned bytes, std::uint64_t value) {
        slot_.memory.write(places_.at(common_cap) + offset, bytes, value);
    }
    std::uint64_t config(unsigned offset, unsigned bytes) {
        return slot_.memory.read(places_.at(device_cap) + offset, bytes);
    }
    void set_config(unsigned offset, unsigned bytes, std::uint64_t value) {
        slot_.memory.write(places_.at(device_cap) + offset, bytes, value);
    }
    std::uint8_t interrupt_status() {
        return static_cast<std::uint8_t>(slot_.memory.read(places_.at(isr_cap), 1));
    }

    std::uint8_t status() { return static_cast<std::uint8_t>(common(0x14, 1)); }
    void set_status(unsigned value) { set_common(0x14, 1, value); }

    std::uint64_t offered() {
        set_common(0, 4, 0);
        const std::uint64_t low = common(4, 4);
        set_common(0, 4, 1);
        return low | common(4, 4) << 32;
    }

    // From reset to FEATURES_OK. The features that were agreed on; 0 when the device refused.
    std::uint64_t negotiate(std::uint64_t wanted) {
        namespace status = virtio::status;
        set_status(0);
        queues_.clear();
        set_status(status::acknowledge | status::driver);
        features_ = wanted;
        for (unsigned half = 0; half < 2; ++half) {
            set_common(8, 4, half);
            set_common(0xc, 4, wanted >> (half * 32) & 0xffffffff);
        }
        set_status(status::acknowledge | status::driver | status::features_ok);
        return (this->status() & status::features_ok) != 0 ? wanted : 0;
    }

    // `size` 0: as large as the device takes it.
    VirtioDriverQueue& add_queue(unsigned index, std::uint64_t base, std::uint16_t size = 0) {
        set_common(0x16, 2, index);
        if (size != 0) set_common(0x18, 2, size);
        size = static_cast<std::uint16_t>(common(0x18, 2));
        auto& queue = queues_
                          .insert_or_assign(index, std::make_unique<VirtioDriverQueue>(
                                                       slot_.memory, base, size, features_))
                          .first->second;
        set_common(0x20, 4, queue->descriptors);
        set_common(0x28, 4, queue->driver_area);
        set_common(0x30, 4, queue->device_area);
        for (const unsigned high : {0x24u, 0x2cu, 0x34u})
            set_common(high, 4, 0);
        set_common(0x1c, 2, 1);
        return *queue;
    }

    VirtioDriverQueue& queue(unsigned index) { return *queues_.at(index); }

    void ready() {
        namespace status = virtio::status;
        set_status(status::acknowledge | status::driver | status::features_ok | status::driver_ok);
    }

    void notify(unsigned queue) {
        slot_.memory.write(places_.at(notify_cap) + std::uint64_t{multiplier_} * queue, 2, queue);
    }

    // Messages: vector N goes to address 0xfee00000 with data 0x40 + N.
    void enable_messages(unsigned vectors) {
        const std::uint64_t table = registers_at +
                                    (slot_.read_config(message_capability + 4) & ~7u);
        for (unsigned vector = 0; vector < vectors; ++vector) {
            slot_.memory.write(table + vector * 16, 4, 0xfee00000);
            slot_.memory.write(table + vector * 16 + 4, 4, 0);
            slot_.memory.write(table + vector * 16 + 8, 4, 0x40 + vector);
            slot_.memory.write(table + vector * 16 + 12, 4, 0);
        }
        slot_.write_config(message_capability + 2, 2, 0x8000);
    }

    static constexpr unsigned common_cap = 1, notify_cap = 2, isr_cap = 3, device_cap = 4,
                              window_cap = 5;
    std::map<unsigned, std::uint32_t> capabilities;  // by kind: where in configuration space
    std::uint32_t message_capability = 0;

private:
    FakePciSlot& slot_;
    std::map<unsigned, std::uint64_t> places_;
    std::map<unsigned, std::unique_ptr<VirtioDriverQueue>> queues_;
    std::uint64_t features_ = 0;
    std::uint32_t multiplier_ = 0;
};

}  // namespace backplane::testing
