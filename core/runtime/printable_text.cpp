#include "runtime/printable_text.h"

namespace backplane::runtime {

// Unicode 15, table 3-7: well-formed UTF-8 byte sequences.
std::size_t utf8_character_size(std::string_view text) {
    if (text.empty()) return 0;
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xbf) {
        return i < text.size() && byte(i) >= low && byte(i) <= high;
    };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xc2 && first <= 0xdf) return follows(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const unsigned char low = first == 0xe0 ? 0xa0 : 0x80;
        const unsigned char high = first == 0xed ? 0x9f : 0xbf;
        return follows(1, low, high) && follows(2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const unsigned char low = first == 0xf0 ? 0x90 : 0x80;
        const unsigned char high = first == 0xf4 ? 0x8f : 0xbf;
        return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_character_size(text.substr(at));
        if (size == 0) return at;
        at += size;
    }
    return std::nullopt;
}

std::string printable(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = utf8_character_size(text.substr(at));
        const auto first = static_cast<unsigned char>(text[at]);
        // U+0080 to U+009F are control characters too, and some terminals obey them.
        const bool control = first < 0x20 || first == 0x7f ||
                             (size == 2 && first == 0xc2 &&
                              static_cast<unsigned char>(text[at + 1]) < 0xa0);
        if (size == 0 || control)
            result += '?';
        else
            result += text.substr(at, size);
        at += size == 0 ? 1 : size;
    }
    return result;
}

std::string shortened(std::string_view text, std::size_t limit) {
    if (text.size() <= limit) return std::string{text};
    std::size_t end = limit;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return std::string{text.substr(0, end)} + "…";
}

std::string in_quotes(std::string_view text, std::size_t limit) {
    return "'" + printable(shortened(text, limit)) + "'";
}

}  // namespace backplane::runtime
