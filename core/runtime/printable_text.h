// Makes text from files fit to be shown: valid UTF-8 without control characters, and not endless.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::runtime {

// Offset of the first byte that does not belong to valid UTF-8.
[[nodiscard]] std::optional<std::size_t> first_invalid_utf8(std::string_view text);

// Bytes of the valid UTF-8 character that `text` starts with; 0 when it starts with none.
[[nodiscard]] std::size_t utf8_character_size(std::string_view text);

// Control characters and invalid bytes replaced by `?`, so that a terminal and a JSON reader
// survive it.
[[nodiscard]] std::string printable(std::string_view text);

// 'text' in single quotes, printable, shortened with … when longer than `limit` bytes.
[[nodiscard]] std::string in_quotes(std::string_view text, std::size_t limit = 60);

// At most about `limit` bytes, cut between characters.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t limit);

}  // namespace backplane::runtime
