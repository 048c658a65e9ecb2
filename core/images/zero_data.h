// Zeroes written as any other data, where nothing better can be done.
#pragma once

#include "images/image_storage.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::images {

// To an ImageStorage or a ByteFile.
template <class T>
int write_zero_data(T& to, std::uint64_t offset, std::uint64_t length) {
    alignas(4096) static constexpr std::array<std::byte, 64 << 10> zeroes{};
    while (length != 0) {
        const auto step = std::min<std::uint64_t>(length, zeroes.size());
        const Segment part{std::span{zeroes}.first(step)};
        if (const int error = to.write(offset, part, Durability::Cached); error != 0) return error;
        offset += step, length -= step;
    }
    return 0;
}

}  // namespace backplane::images
