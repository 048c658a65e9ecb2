#include "uuid.h"

#include <charconv>

namespace backplane::firmware {

std::optional<Uuid> parse_uuid(std::string_view text) {
    Uuid uuid{};
    if (text.empty()) return uuid;
    if (text.size() != 36) return std::nullopt;
    std::size_t at = 0;
    for (std::size_t index = 0; index < uuid.size(); ++index) {
        if (index == 4 || index == 6 || index == 8 || index == 10) {
            if (text[at++] != '-') return std::nullopt;
        }
        const char* const end = text.data() + at + 2;
        const auto [parsed, error] = std::from_chars(text.data() + at, end, uuid[index], 16);
        if (error != std::errc{} || parsed != end) return std::nullopt;
        at += 2;
    }
    return uuid;
}

}  // namespace backplane::firmware
