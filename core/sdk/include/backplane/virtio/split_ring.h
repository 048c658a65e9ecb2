// The device's side of a split virtqueue (virtio 1.2, chapter 2.7): a table of descriptors, a ring
// by which the driver hands chains over, and one by which the device gives them back.
#pragma once

#include <backplane/virtio/features.h>
#include <backplane/virtio/indirect_table.h>

#include <atomic>
#include <cstdint>
#include <vector>

namespace backplane::virtio {

struct SplitDescriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t flags, next;
};

class SplitRing {
public:
    SplitRing(const AddressSpace& memory, QueueState& state, std::uint64_t features,
              std::vector<SplitDescriptor>& table)
        : memory_{memory}, state_{state}, has_events_{(features & feature::event_index) != 0},
          has_indirect_{(features & feature::indirect_descriptors) != 0}, table_{table} {}

    // Takes the next chain; false when there is none, or with `error` set when the ring is
    // malformed.
    bool take(Chain& chain, const char*& error) {
        const std::uint16_t index = memory_.read<std::uint16_t>(state_.driver_area + 2);
        const auto waiting = static_cast<std::uint16_t>(index - state_.next_available);
        if (waiting == 0) return false;
        if (waiting > state_.size) return refuse(error, "more is available than the ring holds");
        // The entry was written before the index, and is not read before it.
        std::atomic_thread_fence(std::memory_order_acquire);
        const std::uint64_t entry = std::uint64_t{4} +
                                    std::uint64_t{2} * (state_.next_available % state_.size);
        const auto head = memory_.read<std::uint16_t>(state_.driver_area + entry);
        if (!walk(head, chain, error)) return false;
        ++state_.next_available;
        return true;
    }

    // The chain that begins with this descriptor.
    bool walk(std::uint16_t head, Chain& chain, const char*& error) {
        chain.clear();
        chain.id = chain.position = head;
        std::uint16_t index = head;
        for (unsigned count = 0; count < state_.size; ++count) {
            if (index >= state_.size) return refuse(error, "a descriptor beyond the table");
            const auto each = memory_.read<SplitDescriptor>(state_.descriptors +
                                                            std::uint64_t{16} * index);
            if ((each.flags & descriptor_flag::indirect) != 0)
                return walk_indirect(each, chain, error);
            if (!add(each, chain, error)) return false;
            if ((each.flags & descriptor_flag::next) == 0) return true;
            index = each.next;
        }
        return refuse(error, "a chain is longer than the ring");
    }

    void give_back(const Chain& chain, std::uint32_t written) {
        struct UsedElement {
            std::uint32_t id, length;
        };
        const std::uint64_t place = state_.device_area + 4 +
                                    std::uint64_t{8} * (state_.next_used % state_.size);
        memory_.write(place, UsedElement{chain.id, written});
        std::atomic_thread_fence(std::memory_order_release);
        memory_.write(state_.device_area + 2, ++state_.next_used);
        ++state_.unsignalled;
    }

    // Asks to be notified of the next chain; what came meanwhile is for `take` to see.
    void ask_for_notification() {
        if (!has_events_) return;  // the flags of the used ring always ask for it
        const std::uint64_t place = state_.device_area + 4 + std::uint64_t{8} * state_.size;
        memory_.write(place, state_.next_available);
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    bool wants_interrupt() {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (!has_events_) {
            constexpr std::uint16_t no_interrupt = 1;
            return (memory_.read<std::uint16_t>(state_.driver_area) & no_interrupt) == 0;
        }
        const std::uint64_t place = state_.driver_area + 4 + std::uint64_t{2} * state_.size;
        return passed(memory_.read<std::uint16_t>(place), state_.next_used, state_.unsignalled);
    }

private:
    static bool refuse(const char*& error, const char* why) {
        error = why;
        return false;
    }

    static bool add(const SplitDescriptor& each, Chain& chain, const char*& error) {
        error = chain.add(each.address, each.length, (each.flags & descriptor_flag::write) != 0);
        return error == nullptr;
    }

    bool walk_indirect(const SplitDescriptor& which, Chain& chain, const char*& error) {
        if (!has_indirect_) return refuse(error, "an indirect descriptor was not agreed on");
        if ((which.flags & descriptor_flag::next) != 0)
            return refuse(error, "an indirect descriptor is not the last of its chain");
        error = read_indirect_table(memory_, which.address, which.length, table_);
        if (error != nullptr) return false;
        std::size_t index = 0;
        for (std::size_t count = 0; count < table_.size(); ++count) {
            if (index >= table_.size()) return refuse(error, "a descriptor beyond its table");
            const SplitDescriptor& each = table_[index];
            if ((each.flags & descriptor_flag::indirect) != 0)
                return refuse(error, "an indirect descriptor in an indirect table");
            if (!add(each, chain, error)) return false;
            if ((each.flags & descriptor_flag::next) == 0) return true;
            index = each.next;
        }
        return refuse(error, "a chain is longer than its table");
    }

    const AddressSpace& memory_;
    QueueState& state_;
    bool has_events_, has_indirect_;
    std::vector<SplitDescriptor>& table_;
};

}  // namespace backplane::virtio
