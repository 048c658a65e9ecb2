#include "runtime/gdb/server_address.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

namespace backplane::runtime::gdb {

std::expected<ServerAddress, std::string> parse_server_address(std::string_view text) {
    constexpr std::string_view unix_prefix = "unix:";
    if (text.starts_with(unix_prefix) && text.size() > unix_prefix.size())
        return std::filesystem::path{text.substr(unix_prefix.size())};
    std::string_view rest = text;
    if (rest.starts_with("tcp:")) rest.remove_prefix(4);
    for (const std::string_view host : {"localhost:", "127.0.0.1:", ":"})
        if (rest.starts_with(host)) {
            rest.remove_prefix(host.size());
            break;
        }
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), port);
    if (rest.empty() || error != std::errc{} || end != rest.data() + rest.size())
        return std::unexpected(fmt::format(
            "--gdb {}: expected a port (0 to 65535; 0 takes a free one), tcp:PORT or unix:PATH; "
            "only the loopback interface is listened on",
            text));
    return TcpPort{port};
}

}  // namespace backplane::runtime::gdb
