#include "runtime/gdb/packets.h"

#include "runtime/gdb/hex.h"

#include <fmt/format.h>

namespace backplane::runtime::gdb {

namespace {

constexpr char interrupt = '\x03', escape = '}', escape_mask = ' ';
constexpr std::size_t checksum_digits = 2;

std::uint8_t checksum(std::string_view text) {
    std::uint8_t sum = 0;
    for (const char character : text)
        sum = static_cast<std::uint8_t>(sum + static_cast<std::uint8_t>(character));
    return sum;
}

std::string unescaped(std::string_view body) {
    std::string payload;
    payload.reserve(body.size());
    for (std::size_t i = 0; i < body.size(); ++i)
        payload += body[i] == escape && i + 1 < body.size()
                       ? static_cast<char>(body[++i] ^ escape_mask)
                       : body[i];
    return payload;
}

}  // namespace

std::string framed(std::string_view payload) {
    std::string body;
    body.reserve(payload.size());
    for (const char character : payload) {
        if (std::string_view{"#$}*"}.contains(character)) {
            body += escape;
            body += static_cast<char>(character ^ escape_mask);
        } else {
            body += character;
        }
    }
    return fmt::format("${}#{:02x}", body, checksum(body));
}

std::optional<Received> PacketReader::next() {
    using Kind = Received::Kind;
    while (!pending_.empty()) {
        const char first = pending_.front();
        if (first != '$') {
            pending_.erase(0, 1);
            if (first == '+') return Received{Kind::Acknowledged};
            if (first == '-') return Received{Kind::Refused};
            if (first == interrupt) return Received{Kind::Interrupt};
            continue;  // noise on the line
        }
        const std::size_t end = pending_.find('#');
        if (end == std::string::npos) {
            // Escapes at most double it. What is longer is forgotten up to its end, as noise.
            if (pending_.size() <= 2 * longest_packet) return std::nullopt;
            pending_.clear();
            return Received{Kind::Damaged};
        }
        if (pending_.size() < end + 1 + checksum_digits) return std::nullopt;
        const std::string body = pending_.substr(1, end - 1);
        const auto sum = number_from_hex(
            std::string_view{pending_}.substr(end + 1, checksum_digits));
        pending_.erase(0, end + 1 + checksum_digits);
        // A second start: the end of the first packet was lost.
        const std::size_t start = body.rfind('$');
        const std::string_view last = std::string_view{body}.substr(
            start == std::string::npos ? 0 : start + 1);
        if (sum != checksum(last)) return Received{Kind::Damaged};
        return Received{Kind::Packet, unescaped(last)};
    }
    return std::nullopt;
}

}  // namespace backplane::runtime::gdb
