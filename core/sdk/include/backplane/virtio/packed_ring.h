// The device's side of a packed virtqueue (virtio 1.2, chapter 2.8): one ring of descriptors, in
// which the device overwrites those of the driver with those it is done with.
#pragma once

#include <backplane/virtio/features.h>
#include <backplane/virtio/indirect_table.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

namespace backplane::virtio {

struct PackedDescriptor {
    std::uint64_t address;
    std::uint32_t length;
    std::uint16_t id, flags;
};

class PackedRing {
public:
    PackedRing(const AddressSpace& memory, QueueState& state, std::uint64_t features,
               std::vector<PackedDescriptor>& table)
        : memory_{memory}, state_{state}, has_events_{(features & feature::event_index) != 0},
          has_indirect_{(features & feature::indirect_descriptors) != 0}, table_{table} {}

    // Takes the next chain; false when there is none, or with `error` set when the ring is
    // malformed.
    bool take(Chain& chain, const char*& error) {
        if (!is_available(state_.next_available)) return false;
        // The rest of the descriptors was written before the flags of the first, and is not read
        // before them.
        std::atomic_thread_fence(std::memory_order_acquire);
        // What is in flight cannot be available, whatever the driver wrote over it.
        const unsigned free_slots = state_.size - state_.slots_in_flight;
        unsigned place = state_.next_available;
        for (unsigned count = 0;; ++count) {
            if (count == free_slots) return refuse(error, "a chain is longer than the ring");
            const auto each = memory_.read<PackedDescriptor>(descriptor(place));
            state_.taken[place] = halves(each);
            if (++place == state_.size) place = 0;
            if ((each.flags & descriptor_flag::next) == 0) break;
        }
        if (!walk(state_.next_available, chain, error)) return false;
        step(state_.next_available, state_.available_wrap, chain.slots);
        state_.slots_in_flight = static_cast<std::uint16_t>(state_.slots_in_flight + chain.slots);
        return true;
    }

    // The chain that was taken from this place.
    bool walk(std::uint16_t position, Chain& chain, const char*& error) {
        chain.clear();
        chain.position = position;
        std::uint16_t place = position;
        while (chain.slots < state_.size) {
            const PackedDescriptor each = whole(state_.taken[place]);
            chain.id = each.id;
            ++chain.slots;
            if ((each.flags & descriptor_flag::indirect) != 0)
                return walk_indirect(each, chain, error);
            if (!add(each, chain, error)) return false;
            if ((each.flags & descriptor_flag::next) == 0) return true;
            if (++place == state_.size) place = 0;
        }
        return refuse(error, "a chain is longer than the ring");
    }

    void give_back(const Chain& chain, std::uint32_t written) {
        const std::uint64_t place = descriptor(state_.next_used);
        memory_.write(place + 8, written);
        memory_.write(place + 12, chain.id);
        std::atomic_thread_fence(std::memory_order_release);
        const unsigned flags = (state_.used_wrap
                                    ? descriptor_flag::available | descriptor_flag::used
                                    : 0) |
                               (written != 0 ? descriptor_flag::write : 0);
        memory_.write(place + 14, static_cast<std::uint16_t>(flags));
        step(state_.next_used, state_.used_wrap, chain.slots);
        state_.slots_in_flight = static_cast<std::uint16_t>(state_.slots_in_flight - chain.slots);
        state_.unsignalled = static_cast<std::uint16_t>(state_.unsignalled + chain.slots);
    }

    // Asks to be notified of the next chain; what came meanwhile is for `take` to see.
    void ask_for_notification() {
        const EventSuppression wanted =
            has_events_
                ? EventSuppression{place_and_wrap(state_.next_available, state_.available_wrap),
                                   at_place}
                : EventSuppression{0, always};
        memory_.write(state_.device_area, wanted);
        std::atomic_thread_fence(std::memory_order_seq_cst);
    }

    bool wants_interrupt() {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        const auto wanted = memory_.read<EventSuppression>(state_.driver_area);
        switch (wanted.flags & 3) {
        case always: return true;
        case never: return false;
        default: break;
        }
        if (!has_events_) return true;
        // Places of the round before are behind the ring's beginning (virtio 1.2, 2.8.10).
        auto event = static_cast<std::uint16_t>(wanted.place & 0x7fff);
        if ((wanted.place >> 15 != 0) != state_.used_wrap)
            event = static_cast<std::uint16_t>(event - state_.size);
        return passed(event, state_.next_used, state_.unsignalled);
    }

private:
    struct EventSuppression {
        std::uint16_t place, flags;
    };
    static constexpr std::uint16_t always = 0, never = 1, at_place = 2;

    static bool refuse(const char*& error, const char* why) {
        error = why;
        return false;
    }

    static std::uint16_t place_and_wrap(std::uint16_t place, bool wrap) {
        return static_cast<std::uint16_t>(place | (wrap ? 0x8000 : 0));
    }

    static std::array<std::uint64_t, 2> halves(const PackedDescriptor& each) {
        return {each.address,
                each.length | std::uint64_t{each.id} << 32 | std::uint64_t{each.flags} << 48};
    }
    static PackedDescriptor whole(const std::array<std::uint64_t, 2>& halves) {
        return {halves[0], static_cast<std::uint32_t>(halves[1]),
                static_cast<std::uint16_t>(halves[1] >> 32),
                static_cast<std::uint16_t>(halves[1] >> 48)};
    }

    std::uint64_t descriptor(unsigned place) const {
        return state_.descriptors + std::uint64_t{16} * place;
    }

    bool is_available(unsigned place) const {
        const auto flags = memory_.read<std::uint16_t>(descriptor(place) + 14);
        const bool available = (flags & descriptor_flag::available) != 0;
        const bool used = (flags & descriptor_flag::used) != 0;
        return available == state_.available_wrap && used != state_.available_wrap;
    }

    void step(std::uint16_t& place, bool& wrap, unsigned slots) const {
        unsigned next = place + slots;
        if (next >= state_.size) {
            next -= state_.size;
            wrap = !wrap;
        }
        place = static_cast<std::uint16_t>(next);
    }

    static bool add(const PackedDescriptor& each, Chain& chain, const char*& error) {
        error = chain.add(each.address, each.length, (each.flags & descriptor_flag::write) != 0);
        return error == nullptr;
    }

    // Of the flags in a table only the one for writing means anything, and all of it is the chain.
    bool walk_indirect(const PackedDescriptor& which, Chain& chain, const char*& error) {
        if (!has_indirect_) return refuse(error, "an indirect descriptor was not agreed on");
        if ((which.flags & descriptor_flag::next) != 0)
            return refuse(error, "an indirect descriptor is not the last of its chain");
        error = read_indirect_table(memory_, which.address, which.length, table_);
        if (error != nullptr) return false;
        for (const PackedDescriptor& each : table_)
            if (!add(each, chain, error)) return false;
        return true;
    }

    const AddressSpace& memory_;
    QueueState& state_;
    bool has_events_, has_indirect_;
    std::vector<PackedDescriptor>& table_;
};

}  // namespace backplane::virtio
