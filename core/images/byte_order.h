// Numbers in the headers and tables of image files.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace backplane::images {

template <std::unsigned_integral T>
T load_little(std::span<const std::byte> bytes, std::size_t offset = 0) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    if constexpr (std::endian::native == std::endian::big) return std::byteswap(value);
    return value;
}

template <std::unsigned_integral T>
T load_big(std::span<const std::byte> bytes, std::size_t offset = 0) {
    return std::byteswap(load_little<T>(bytes, offset));
}

template <std::unsigned_integral T>
void store_little(std::span<std::byte> bytes, std::size_t offset, T value) {
    if constexpr (std::endian::native == std::endian::big) value = std::byteswap(value);
    std::memcpy(bytes.data() + offset, &value, sizeof value);
}

template <std::unsigned_integral T>
void store_big(std::span<std::byte> bytes, std::size_t offset, T value) {
    store_little(bytes, offset, std::byteswap(value));
}

constexpr std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) {
    return value / by + (value % by != 0);
}
constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
    return divide_up(value, to) * to;
}

}  // namespace backplane::images
