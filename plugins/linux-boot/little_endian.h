// Integers inside byte buffers, as x86 firmware tables and boot protocols lay them out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace backplane::linux_boot {

// The caller has checked that the value lies inside.
template <class T>
T load(std::span<const std::byte> bytes, std::size_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

template <class T>
void store(std::span<std::byte> bytes, std::size_t offset, T value) {
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

}  // namespace backplane::linux_boot
