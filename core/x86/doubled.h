// The integers of twice the width, which hold a product, a dividend or a pair of values.
#pragma once

#include <cstdint>

namespace backplane::x86 {

template <class T> struct Doubled;
template <> struct Doubled<std::uint8_t> {
    using Unsigned = std::uint16_t;
    using Signed = std::int16_t;
};
template <> struct Doubled<std::uint16_t> {
    using Unsigned = std::uint32_t;
    using Signed = std::int32_t;
};
template <> struct Doubled<std::uint32_t> {
    using Unsigned = std::uint64_t;
    using Signed = std::int64_t;
};
template <> struct Doubled<std::uint64_t> {
    __extension__ using Unsigned = unsigned __int128;
    __extension__ using Signed = __int128;
};

}  // namespace backplane::x86
