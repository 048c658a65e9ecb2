// The identity of a machine: 16 bytes in the order in which they are written.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

namespace backplane::firmware {

using Uuid = std::array<std::uint8_t, 16>;

// "123e4567-e89b-12d3-a456-426614174000", in upper or lower case; the empty text is all zeros.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace backplane::firmware
