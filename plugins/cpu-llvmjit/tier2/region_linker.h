// Puts the object file of a region into executable memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::jit::tier2 {

struct LinkedRegion {
    const std::uint8_t* entry;
    const std::uint8_t* start;
    std::size_t bytes;  // all that it needs, constants included
};

// `writable` and `executable` are the same memory. Empty: it does not fit, or needs what is not
// there.
std::optional<LinkedRegion> link_region(std::span<const char> object, std::uint8_t* writable,
                                        const std::uint8_t* executable, std::size_t room);

}  // namespace backplane::jit::tier2
