// One virtqueue as a device uses it, in either ring layout. What the driver puts into guest memory
// is believed in nothing: indices, lengths, loops and numbers are checked, and what is malformed is
// told as such.
#pragma once

#include <backplane/virtio/features.h>
#include <backplane/virtio/packed_ring.h>
#include <backplane/virtio/split_ring.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

namespace backplane::virtio {

class Virtqueue {
    template <class Use>
    auto in_layout(const AddressSpace& memory, std::uint64_t features, Use use) {
        if ((features & feature::ring_packed) != 0) {
            PackedRing ring{memory, state, features, packed_table_};
            return use(ring);
        }
        SplitRing ring{memory, state, features, split_table_};
        return use(ring);
    }

    template <class Ring>
    bool take_checked(Ring& ring, Chain& chain, const char*& error) {
        if (!ring.take(chain, error)) return false;
        if (state.in_flight_count < state.size) return true;
        error = "more chains are in flight than the ring holds";
        return false;
    }

public:
    QueueState state;

    void reset(std::uint16_t size) {
        state = {};
        state.size = size;
        again_ = 0;
    }

    // From now on the rings are used. `features` are those both sides agreed on. Why it cannot be;
    // null when it can.
    const char* enable(std::uint64_t features) {
        const bool is_packed = (features & feature::ring_packed) != 0;
        if (state.size == 0 || state.size > max_queue_size) return "a queue has no possible size";
        if (!is_packed && !std::has_single_bit(state.size))
            return "the size of a split queue is no power of two";
        const std::uint64_t others = is_packed ? 4 : 2;
        if (state.descriptors % 16 != 0 || state.driver_area % others != 0 ||
            state.device_area % 4 != 0)
            return "the rings of a queue are not aligned";
        state.is_enabled = true;
        return nullptr;
    }

    // The next chain. False: there is none, and the driver notifies when there is; or `error` says
    // what is malformed.
    bool take(const AddressSpace& memory, std::uint64_t features, Chain& chain,
              const char*& error) {
        error = nullptr;
        return in_layout(memory, features, [&](auto& ring) {
            if (again_ != 0)
                return ring.walk(state.in_flight[state.in_flight_count - again_--], chain, error);
            if (!take_checked(ring, chain, error)) {
                if (error != nullptr) return false;
                ring.ask_for_notification();
                if (!take_checked(ring, chain, error)) return false;
            }
            state.in_flight[state.in_flight_count++] = chain.position;
            return true;
        });
    }

    // The chain is the driver's again; the device wrote so many bytes into it.
    void give_back(const AddressSpace& memory, std::uint64_t features, const Chain& chain,
                   std::uint32_t written) {
        const auto end = state.in_flight.begin() + state.in_flight_count;
        const auto found = std::find(state.in_flight.begin(), end, chain.position);
        if (found == end) return;
        std::copy(found + 1, end, found);
        --state.in_flight_count;
        in_layout(memory, features, [&](auto& ring) { ring.give_back(chain, written); });
    }

    // Whether the driver wants an interrupt for what was given back since it was last asked.
    bool wants_interrupt(const AddressSpace& memory, std::uint64_t features) {
        if (state.unsignalled == 0) return false;
        const bool wanted = in_layout(memory, features,
                                      [](auto& ring) { return ring.wants_interrupt(); });
        state.unsignalled = 0;
        return wanted;
    }

    // The device forgot what it works on: `take` gives all of that again first, in the old order.
    // True when there is any.
    bool begin_again() {
        again_ = state.in_flight_count;
        return again_ != 0;
    }

private:
    std::uint16_t again_ = 0;  // of those in flight, the last so many
    std::vector<SplitDescriptor> split_table_;
    std::vector<PackedDescriptor> packed_table_;
};

}  // namespace backplane::virtio
