// The other end of a control socket: sends one command at a time and waits for its reply.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/control/control_address.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

namespace backplane::runtime::control {

class Client {
public:
    // The error says what is wrong with the other end.
    static std::expected<Client, std::string> connect(const ControlAddress& address);

    [[nodiscard]] const ordered_json& greeting() const { return greeting_; }

    // The whole reply: `return` or `error`. Events that come meanwhile go to `on_event`.
    std::expected<ordered_json, std::string> execute(const std::string& command,
                                                     const ordered_json& arguments);
    std::function<void(const ordered_json& event)> on_event;

    // The next event; the error is that the connection ended.
    std::expected<ordered_json, std::string> next_event();

private:
    explicit Client(std::unique_ptr<boost::asio::io_context> context);
    std::expected<ordered_json, std::string> receive();

    std::unique_ptr<boost::asio::io_context> context_;
    boost::asio::generic::stream_protocol::socket socket_;
    std::string received_;
    ordered_json greeting_;
    std::uint64_t last_id_ = 0;
};

}  // namespace backplane::runtime::control
