// One client on its socket: bytes in, lines out, and nobody waits for a client that does not read.
#pragma once

#include "runtime/control/session.h"

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <string>

namespace backplane::runtime::control {

// All on the thread of the server.
class Connection : public std::enable_shared_from_this<Connection> {
public:
    using Socket = boost::asio::generic::stream_protocol::socket;
    // What must be spoken to it at once: to a TCP port any program of this host may write, browsers
    // on behalf of web pages among them.
    enum class Trust : bool { Stranger, Owner };

    Connection(Context& context, Socket socket, Trust trust,
               std::function<void(Connection&)> closed);

    void start();
    void run_state_changed(const ordered_json& event);
    // No further commands; closes when what was said already is sent.
    void finish();
    void close();

private:
    void send(std::string line);
    void write();
    void read();
    void received(std::size_t bytes);
    void work();
    void later(std::chrono::milliseconds after);
    void watch_events();
    [[nodiscard]] bool is_gone();

    Socket socket_;
    Trust trust_;
    std::function<void(Connection&)> closed_;
    Session session_;
    boost::asio::steady_timer pause_, events_;
    std::array<char, 1 << 16> buffer_;
    std::deque<std::string> output_;
    std::size_t unsent_ = 0;  // bytes of output_
    bool reading_ = false, writing_ = false, working_ = false, watching_ = false;
    bool input_ended_ = false, finishing_ = false, is_closed_ = false;
};

}  // namespace backplane::runtime::control
