// What a virtqueue remembers, in whichever layout its ring is: what the driver set it to, how far
// both sides are, and what the device still works on. All of it is saved state.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::virtio {

// The largest ring there can be here, and the longest chain.
inline constexpr unsigned max_queue_size = 256;

inline constexpr std::uint16_t no_vector = 0xffff;

struct QueueState {
    // As the driver set it.
    std::uint16_t size = 0;
    bool is_enabled = false;
    std::uint16_t vector = no_vector;
    // Split: descriptor table, available ring, used ring. Packed: descriptor ring, event
    // suppression of the driver, of the device.
    std::uint64_t descriptors = 0, driver_area = 0, device_area = 0;

    // The next chain to take, and the next place to give one back. The wrap counters are those of
    // packed rings; split rings count on to 65535.
    std::uint16_t next_available = 0, next_used = 0;
    bool available_wrap = true, used_wrap = true;
    // How far next_used went since it was last decided whether to interrupt.
    std::uint16_t unsignalled = 0;

    // Where the chains begin that were taken and not given back, in the order they were taken.
    std::array<std::uint16_t, max_queue_size> in_flight{};
    std::uint16_t in_flight_count = 0;
    std::uint16_t slots_in_flight = 0;  // of a packed ring

    // Packed: the two halves of each descriptor that was taken; the ring itself may be overwritten
    // by those given back before it.
    std::array<std::array<std::uint64_t, 2>, max_queue_size> taken{};
};

}  // namespace backplane::virtio
