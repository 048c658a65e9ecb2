// What the monitor says about itself: VESA E-EDID 1.4, one block.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

using Edid = std::array<std::uint8_t, 128>;

constexpr std::uint32_t smallest_edid_width = 320, smallest_edid_height = 200;
constexpr std::uint32_t largest_edid_width = 3840, largest_edid_height = 2400;

// Of a monitor that likes this size best; the size is brought within the limits above, its width to
// a multiple of eight.
Edid edid(std::uint32_t width, std::uint32_t height);

}  // namespace backplane::display
