// The framing of GDB's remote serial protocol: $payload#checksum, acknowledgements, and the byte of
// Ctrl-C between packets (GDB manual, "Remote Protocol: Overview").
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace backplane::runtime::gdb {

// The longest payload that either side may send.
constexpr std::size_t longest_packet = 0x4000;

// A payload as it is sent, with what would end it early escaped.
[[nodiscard]] std::string framed(std::string_view payload);

struct Received {
    enum class Kind : std::uint8_t {
        Packet,
        Damaged,  // wrong checksum, or too long: it has to be sent again
        Acknowledged,
        Refused,  // our packet arrived damaged
        Interrupt
    };
    Kind kind;
    std::string payload{};
};

// Takes what arrives apart, however it is cut into pieces.
class PacketReader {
public:
    void feed(std::string_view bytes) { pending_ += bytes; }
    // Nothing: more has to arrive first.
    std::optional<Received> next();

private:
    std::string pending_;
};

}  // namespace backplane::runtime::gdb
