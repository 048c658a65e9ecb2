// The tag word of the x87 unit in full, as debuggers have it, from what a processor keeps: whether
// each register is empty (SDM 1 8.1.7).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace backplane::runtime::gdb {

enum class X87Tag : std::uint8_t { Valid = 0, Zero = 1, Special = 2, Empty = 3 };

// Of the ten bytes of a register that is not empty.
inline X87Tag x87_tag(std::span<const std::byte> value) {
    std::uint64_t significand = 0;
    std::uint16_t sign_and_exponent = 0;
    std::memcpy(&significand, value.data(), sizeof significand);
    std::memcpy(&sign_and_exponent, value.data() + sizeof significand, sizeof sign_and_exponent);
    const unsigned exponent = sign_and_exponent & 0x7fff;
    if (exponent == 0 && significand == 0) return X87Tag::Zero;
    const bool is_normal = exponent != 0 && exponent != 0x7fff && significand >> 63 != 0;
    return is_normal ? X87Tag::Valid : X87Tag::Special;
}

}  // namespace backplane::runtime::gdb
