// The memory formats of the x87 unit, as distinct types (SDM 1 8.2).
#pragma once

#include "x86/cpu_state.h"

#include <array>
#include <cstdint>
#include <cstring>

namespace backplane::x86 {

struct Real32 {
    std::uint32_t bits;
};

struct Real64 {
    std::uint64_t bits;
};

// Integers that are rounded towards zero when they are stored, whatever the control word says:
// FISTTP.
struct Truncated16 {
    std::int16_t value;
};

struct Truncated32 {
    std::int32_t value;
};

struct Truncated64 {
    std::int64_t value;
};

// Ten bytes in memory, without the padding of Float80.
struct Real80 {
    std::array<std::uint8_t, 10> bytes;
};

struct Bcd80 {
    std::array<std::uint8_t, 10> bytes;
};

inline Float80 to_float80(const Real80& value) {
    Float80 result;
    std::memcpy(&result.significand, value.bytes.data(), 8);
    std::memcpy(&result.sign_exponent, value.bytes.data() + 8, 2);
    return result;
}

inline Real80 to_real80(const Float80& value) {
    Real80 result;
    std::memcpy(result.bytes.data(), &value.significand, 8);
    std::memcpy(result.bytes.data() + 8, &value.sign_exponent, 2);
    return result;
}

}  // namespace backplane::x86
