#include "runtime/control/control_address.h"

#include "runtime/printable_text.h"
#include "runtime/units.h"

#include <boost/asio/ip/address.hpp>
#include <fmt/format.h>
#include <sys/un.h>

#include <algorithm>

namespace backplane::runtime::control {

namespace {

constexpr std::string_view unix_prefix = "unix:", tcp_prefix = "tcp:";
constexpr const char* forms = "expected unix:PATH or tcp:127.0.0.1:PORT";

std::unexpected<std::string> no(std::string why) { return std::unexpected{std::move(why)}; }

std::expected<ControlAddress, std::string> parse_unix(std::string_view path) {
    constexpr std::size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (path.empty()) return no(std::string{"the path is missing; "} + forms);
    if (path.contains('\0')) return no("the path contains a NUL character");
    if (path.size() > longest)
        return no(fmt::format("the path has {} bytes; sockets can have {}", path.size(), longest));
    return ControlAddress{.path = std::string{path}};
}

std::expected<ControlAddress, std::string> parse_tcp(std::string_view rest) {
    const auto colon = rest.rfind(':');
    if (colon == rest.npos) return no(forms);
    std::string host{rest.substr(0, colon)};
    const std::string_view port = rest.substr(colon + 1);
    if (host == "localhost") host = "127.0.0.1";
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    boost::system::error_code error;
    const auto address = boost::asio::ip::make_address(host, error);
    if (error || !address.is_loopback())
        return no(fmt::format("{} is not a loopback address; whoever can connect is the machine's "
                              "master, so only 127.0.0.1 and ::1 will do",
                              in_quotes(host)));
    const auto number = parse_unsigned(port);
    if (!number || *number > 0xffff)
        return no(fmt::format("{} is not a port; expected 0 to 65535, of which 0 stands for any "
                              "that is free",
                              in_quotes(port)));
    return ControlAddress{.host = address.to_string(), .port = static_cast<std::uint16_t>(*number)};
}

}  // namespace

std::string ControlAddress::text() const {
    if (is_unix()) return "unix:" + path;
    return host.contains(':') ? fmt::format("tcp:[{}]:{}", host, port)
                              : fmt::format("tcp:{}:{}", host, port);
}

std::expected<ControlAddress, std::string> ControlAddress::parse(std::string_view text) {
    if (text.starts_with(unix_prefix)) return parse_unix(text.substr(unix_prefix.size()));
    if (text.starts_with(tcp_prefix)) return parse_tcp(text.substr(tcp_prefix.size()));
    return no(forms);
}

std::expected<ControlAddress, std::string> ControlAddress::parse_for_client(std::string_view text) {
    if (text.starts_with(unix_prefix) || text.starts_with(tcp_prefix)) return parse(text);
    return parse_unix(text);
}

}  // namespace backplane::runtime::control
