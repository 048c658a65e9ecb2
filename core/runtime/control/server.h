// Listens on control sockets and serves whoever connects, on a thread of its own.
#pragma once

#include "runtime/control/connection.h"
#include "runtime/control/context.h"
#include "runtime/control/control_address.h"
#include "runtime/control/socket_file.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>

#include <expected>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace backplane::runtime::control {

class Server {
public:
    // Commands are carried out from when the machine runs. Both outlive the server.
    Server(Machine& machine, const MachineDescription& description);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { stop(); }

    // Before start. Gives the address with the port that was picked; the error is for the user.
    [[nodiscard]] std::expected<ControlAddress, std::string> listen(const ControlAddress& address);
    void start();
    // After the run: everybody is told how it ended, and the sockets are gone.
    void stop();

private:
    template <class Protocol> struct Listener {
        typename Protocol::acceptor acceptor;
        SocketFile file;
        std::unique_ptr<boost::asio::steady_timer> pause;
    };
    template <class Protocol> void accept(Listener<Protocol>& listener);
    void admit(Connection::Socket socket, Connection::Trust trust);
    std::expected<void, std::string> listen_unix(const ControlAddress& address);
    std::expected<std::uint16_t, std::string> listen_tcp(const ControlAddress& address);
    void close();

    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    Context context_;
    boost::asio::steady_timer patience_{io_};
    std::vector<std::unique_ptr<Listener<boost::asio::local::stream_protocol>>> unix_;
    std::vector<std::unique_ptr<Listener<boost::asio::ip::tcp>>> tcp_;
    std::vector<std::shared_ptr<Connection>> connections_;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace backplane::runtime::control
