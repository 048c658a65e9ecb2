// Where GDB finds a machine: a TCP port on the loopback interface, or a Unix socket.
#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <variant>

namespace backplane::runtime::gdb {

struct TcpPort {
    std::uint16_t number;  // 0: any that is free
};

using ServerAddress = std::variant<TcpPort, std::filesystem::path>;

// "1234", ":1234", "tcp:1234", "tcp::1234", "localhost:1234", "unix:PATH". The error says what was
// expected.
[[nodiscard]] std::expected<ServerAddress, std::string> parse_server_address(std::string_view text);

}  // namespace backplane::runtime::gdb
