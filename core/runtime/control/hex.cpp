#include "runtime/control/hex.h"

#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <fmt/format.h>

#include <algorithm>

namespace backplane::runtime::control {

namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view base64_digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

// -1 for what is not a digit.
int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

}  // namespace

std::string hex_text(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += hex_digits[static_cast<unsigned>(byte) >> 4];
        text += hex_digits[static_cast<unsigned>(byte) & 15];
    }
    return text;
}

std::expected<std::vector<std::byte>, std::string> parse_hex(std::string_view text) {
    std::vector<std::byte> bytes;
    bytes.reserve(text.size() / 2);
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == ' ') continue;
        const int high = hex_value(text[at]);
        const int low = at + 1 < text.size() ? hex_value(text[at + 1]) : -1;
        if (high < 0 || low < 0)
            return std::unexpected{
                fmt::format("{} at {} is not a byte; expected two hexadecimal digits for each, as "
                            "in 0f 1f or 0f1f",
                            in_quotes(text.substr(at, 2)), at)};
        bytes.push_back(static_cast<std::byte>(high << 4 | low));
        ++at;
    }
    return bytes;
}

std::string hex_number(std::span<const std::byte> bytes) {
    std::string digits;
    for (const std::byte byte : bytes)
        digits.insert(0, fmt::format("{:02x}", static_cast<unsigned>(byte)));
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    return "0x" + (digits.empty() ? "0" : digits);
}

std::expected<std::vector<std::byte>, std::string> parse_number(std::string_view text,
                                                                std::size_t size) {
    std::vector<std::byte> bytes(size);
    const auto too_large = [&] {
        return std::unexpected{fmt::format("{} does not fit into {} bytes", in_quotes(text), size)};
    };
    if (!text.starts_with("0x")) {
        const auto number = parse_unsigned(text);
        if (!number)
            return std::unexpected{fmt::format("{} {}; {}", in_quotes(text), number.error().problem,
                                               number.error().expected)};
        for (std::size_t at = 0; at < sizeof *number; ++at) {
            const auto byte = static_cast<std::byte>(*number >> 8 * at);
            if (at < size)
                bytes[at] = byte;
            else if (byte != std::byte{})
                return too_large();
        }
        return bytes;
    }
    std::string digits{text.substr(2)};
    std::erase(digits, '_');
    if (digits.empty() || std::ranges::any_of(digits, [](char c) { return hex_value(c) < 0; }))
        return std::unexpected{
            fmt::format("{} is not a number; expected decimal or 0x", in_quotes(text))};
    digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
    if (digits.size() > size * 2) return too_large();
    std::ranges::reverse(digits);
    for (std::size_t at = 0; at < digits.size(); ++at)
        bytes[at / 2] |= static_cast<std::byte>(hex_value(digits[at]) << (at % 2 * 4));
    return bytes;
}

std::string base64_text(std::span<const std::byte> bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t at = 0; at < bytes.size(); at += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - at);
        std::uint32_t group = 0;
        for (std::size_t i = 0; i < count; ++i)
            group |= static_cast<std::uint32_t>(bytes[at + i]) << (16 - 8 * i);
        for (std::size_t i = 0; i < 4; ++i)
            text += i <= count ? base64_digits[group >> (18 - 6 * i) & 63] : '=';
    }
    return text;
}

std::expected<std::vector<std::byte>, std::string> parse_base64(std::string_view text) {
    std::vector<std::byte> bytes;
    if (text.size() % 4 != 0) return std::unexpected{"the length of base64 is a multiple of 4"};
    bytes.reserve(text.size() / 4 * 3);
    const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
    std::uint32_t group = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const bool is_padding = at >= text.size() - padding;
        const std::size_t digit = is_padding ? 0 : base64_digits.find(text[at]);
        if (digit == std::string_view::npos)
            return std::unexpected{fmt::format("not a base64 digit at {}", at)};
        group = group << 6 | static_cast<std::uint32_t>(digit);
        if (at % 4 != 3) continue;
        for (int shift = 16; shift >= 0; shift -= 8)
            bytes.push_back(static_cast<std::byte>(group >> shift));
        group = 0;
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

}  // namespace backplane::runtime::control
