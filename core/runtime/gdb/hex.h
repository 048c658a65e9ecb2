// Bytes and numbers as the hexadecimal text of the remote protocol.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::runtime::gdb {

inline std::string to_hex(std::span<const std::byte> bytes) {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 15];
    }
    return text;
}

inline std::string to_hex(std::string_view text) { return to_hex(std::as_bytes(std::span{text})); }

// The whole text is one number. The protocol writes numbers with the highest digit first.
inline std::optional<std::uint64_t> number_from_hex(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

inline std::optional<std::vector<std::byte>> bytes_from_hex(std::string_view text) {
    if (text.size() % 2 != 0) return std::nullopt;
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    for (; !text.empty(); text.remove_prefix(2)) {
        const auto byte = number_from_hex(text.substr(0, 2));
        if (!byte) return std::nullopt;
        bytes.push_back(static_cast<std::byte>(*byte));
    }
    return bytes;
}

// Cuts off and gives what is in front of the separator; everything when there is none.
inline std::string_view take_until(std::string_view& text, char separator) {
    const auto end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return part;
}

}  // namespace backplane::runtime::gdb
