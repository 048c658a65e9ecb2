// Bytes as text in replies and arguments: hexadecimal, or base64 where there are many.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::control {

// Two digits for each byte, the first byte first.
[[nodiscard]] std::string hex_text(std::span<const std::byte> bytes);
// The error says what is wrong with the text; blanks between bytes are fine.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> parse_hex(std::string_view text);
// A little-endian number of any width: "0x1f".
[[nodiscard]] std::string hex_number(std::span<const std::byte> bytes);
// The reverse, into exactly `size` bytes; decimal too while it fits 64 bits.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> parse_number(std::string_view text,
                                                                              std::size_t size);

// RFC 4648, 4.
[[nodiscard]] std::string base64_text(std::span<const std::byte> bytes);
// Nothing when it is not base64.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string>
parse_base64(std::string_view text);

}  // namespace backplane::runtime::control
