// Where a control socket is: unix:PATH, or tcp:127.0.0.1:PORT.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace backplane::runtime::control {

struct ControlAddress {
    std::string path{};  // of a Unix socket; "" for TCP
    std::string host{};  // a loopback address
    std::uint16_t port = 0;

    [[nodiscard]] bool is_unix() const { return !path.empty(); }
    [[nodiscard]] std::string text() const;

    // Loopback alone: whoever can connect is the machine's master.
    static std::expected<ControlAddress, std::string> parse(std::string_view text);
    // The same for a client, to whom PATH alone is unix:PATH.
    static std::expected<ControlAddress, std::string> parse_for_client(std::string_view text);
};

}  // namespace backplane::runtime::control
