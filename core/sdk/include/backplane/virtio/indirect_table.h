// Indirect descriptor tables, which both ring layouts have (virtio 1.2, 2.7.5.3 and 2.8.8).
#pragma once

#include <backplane/address_space.h>
#include <backplane/virtio/chain.h>
#include <backplane/virtio/queue_state.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace backplane::virtio {

namespace descriptor_flag {
inline constexpr std::uint16_t next = 1, write = 2, indirect = 4;
inline constexpr std::uint16_t available = 1 << 7, used = 1 << 15;  // of packed rings
}  // namespace descriptor_flag

// Reads a whole table at once: 16 bytes each, at most max_queue_size of them. Null when it went
// well, else what is wrong with it.
template <class Descriptor>
const char* read_indirect_table(const AddressSpace& memory, std::uint64_t address,
                                std::uint32_t length, std::vector<Descriptor>& table) {
    static_assert(sizeof(Descriptor) == 16);
    if (length == 0 || length % sizeof(Descriptor) != 0)
        return "an indirect table is not made of whole descriptors";
    if (length / sizeof(Descriptor) > max_queue_size) return "an indirect table is too long";
    table.resize(length / sizeof(Descriptor));
    memory.read(address, std::as_writable_bytes(std::span{table}));
    return nullptr;
}

// Whether a counter that went on by `steps`, to `now`, passed `event` (virtio 1.2, 2.7.7.2).
constexpr bool passed(std::uint16_t event, std::uint16_t now, std::uint16_t steps) {
    return static_cast<std::uint16_t>(now - event - 1) < steps;
}

}  // namespace backplane::virtio
