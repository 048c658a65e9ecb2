// The characters of the IBM PC's first font, which text screens of firmware and boot loaders show.
#pragma once

#include <cstdint>
#include <string_view>

namespace backplane::runtime {

// In UTF-8. Glyphs that look empty (0, 32, 255) are a blank; glyphs of a second font, which code
// page 437 does not have, are U+FFFD.
[[nodiscard]] std::string_view utf8_of_glyph(std::uint16_t glyph);

}  // namespace backplane::runtime
