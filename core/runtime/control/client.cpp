#include "runtime/control/client.h"

#include "runtime/control/request.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <limits>
#include <utility>

namespace backplane::runtime::control {

namespace asio = boost::asio;

Client::Client(std::unique_ptr<asio::io_context> context)
    : context_{std::move(context)}, socket_{*context_} {}

std::expected<Client, std::string> Client::connect(const ControlAddress& address) {
    Client client{std::make_unique<asio::io_context>()};
    boost::system::error_code error;
    const asio::generic::stream_protocol::endpoint endpoint =
        address.is_unix()
            ? asio::generic::stream_protocol::endpoint{asio::local::stream_protocol::endpoint{
                  address.path}}
            : asio::generic::stream_protocol::endpoint{
                  asio::ip::tcp::endpoint{asio::ip::make_address(address.host), address.port}};
    client.socket_.connect(endpoint, error);
    if (error)
        return std::unexpected{fmt::format("{}: {}; is `backplane run --control {}` running?",
                                           address.text(), error.message(), address.text())};
    auto greeting = client.receive();
    if (!greeting) return std::unexpected{address.text() + ": " + greeting.error()};
    if (const auto refused = greeting->find("error"); refused != greeting->end())
        return std::unexpected{
            fmt::format("{}: {}", address.text(), refused->value("message", "refused"))};
    if (!greeting->contains("greeting"))
        return std::unexpected{address.text() + ": this is not a control socket of backplane"};
    client.greeting_ = std::move((*greeting)["greeting"]);
    return client;
}

std::expected<ordered_json, std::string> Client::receive() {
    boost::system::error_code error;
    const std::size_t size = asio::read_until(
        socket_, asio::dynamic_buffer(received_, std::numeric_limits<std::size_t>::max()), '\n',
        error);
    if (error == asio::error::eof) return std::unexpected{"the other end closed the connection"};
    if (error) return std::unexpected{error.message()};
    auto message = ordered_json::parse(received_.substr(0, size), nullptr, false);
    received_.erase(0, size);
    if (!message.is_object()) return std::unexpected{"the other end sent something unknown"};
    return message;
}

std::expected<ordered_json, std::string> Client::execute(const std::string& command,
                                                         const ordered_json& arguments) {
    const std::uint64_t id = ++last_id_;
    boost::system::error_code error;
    asio::write(socket_,
                asio::buffer(line_of({{"execute", command}, {"arguments", arguments}, {"id", id}})),
                error);
    if (error) return std::unexpected{error.message()};
    for (;;) {
        auto message = receive();
        if (!message) return message;
        if (const auto told = message->find("id"); told != message->end() && *told == id)
            return message;
        if (message->contains("event") && on_event) on_event(*message);
        // Refused before our request was read: there are too many clients.
        if (message->contains("error") && !message->contains("id")) return message;
    }
}

std::expected<ordered_json, std::string> Client::next_event() {
    for (;;) {
        auto message = receive();
        if (!message || message->contains("event")) return message;
    }
}

}  // namespace backplane::runtime::control
