// Little-endian values put one after another into a buffer, as firmware tables are laid out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

namespace backplane::firmware {

using Table = std::vector<std::byte>;

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

template <class T>
void append(Table& table, T value) {
    table.resize(table.size() + sizeof value);
    store(std::span{table}, table.size() - sizeof value, value);
}

inline void append_bytes(Table& table, std::span<const std::byte> bytes) {
    table.insert(table.end(), bytes.begin(), bytes.end());
}

inline void append_text(Table& table, std::string_view text) {
    append_bytes(table, std::as_bytes(std::span{text}));
}

// What makes the sum of all bytes 0 when it takes the place of a byte that is 0 now.
inline std::uint8_t checksum(std::span<const std::byte> bytes) {
    std::uint8_t sum = 0;
    for (const std::byte byte : bytes)
        sum = static_cast<std::uint8_t>(sum + std::to_integer<std::uint8_t>(byte));
    return static_cast<std::uint8_t>(-sum);
}

}  // namespace backplane::firmware
