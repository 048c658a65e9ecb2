// CRC-32C by bytes: the polynomial 11EDC6F41 in reflected form, as the CRC32 instruction has it.
#pragma once

#include <array>
#include <concepts>
#include <cstdint>

namespace backplane::x86 {

namespace crc32c {

inline constexpr std::array<std::uint32_t, 256> table = [] {
    constexpr std::uint32_t reflected_polynomial = 0x82f63b78;
    std::array<std::uint32_t, 256> result{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t remainder = byte;
        for (unsigned bit = 0; bit < 8; ++bit)
            remainder = (remainder >> 1) ^ ((remainder & 1) ? reflected_polynomial : 0);
        result[byte] = remainder;
    }
    return result;
}();

// `data` taken in from its lowest byte on.
template <std::unsigned_integral T>
constexpr std::uint32_t update(std::uint32_t crc, T data) {
    for (unsigned i = 0; i < sizeof(T); ++i)
        crc = (crc >> 8) ^ table[(crc ^ static_cast<std::uint32_t>(data >> (8 * i))) & 0xff];
    return crc;
}

}  // namespace crc32c
}  // namespace backplane::x86
