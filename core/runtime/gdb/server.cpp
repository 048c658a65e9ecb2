#include "runtime/gdb/server.h"

#include "runtime/gdb/session.h"
#include "runtime/log.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>
#include <utility>

namespace backplane::runtime::gdb {

namespace asio = boost::asio;
using asio::ip::tcp;

Server::Server(Machine& machine) : machine_{machine}, acceptor_{machine.io().context()} {}

Server::~Server() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    std::error_code not_there;
    if (!socket_path_.empty()) std::filesystem::remove(socket_path_, not_there);
}

std::expected<std::unique_ptr<Server>, std::string> Server::listen(Machine& machine,
                                                                   const ServerAddress& address) {
    if (machine.cpus().empty())
        return std::unexpected(std::string{"--gdb: the machine has no CPU"});
    std::unique_ptr<Server> server{new Server{machine}};
    try {
        server->open(address);
    } catch (const boost::system::system_error& error) {
        const auto* path = std::get_if<std::filesystem::path>(&address);
        return std::unexpected(
            fmt::format("--gdb: cannot listen on {}: {}",
                        path != nullptr ? path->string()
                                        : fmt::format("port {}", std::get<TcpPort>(address).number),
                        error.code().message()));
    }
    return server;
}

void Server::open(const ServerAddress& address) {
    if (const auto* path = std::get_if<std::filesystem::path>(&address)) {
        const asio::local::stream_protocol::endpoint endpoint{path->string()};
        acceptor_.open(Protocol{AF_UNIX, 0});
        acceptor_.bind(endpoint);
        socket_path_ = *path;
        endpoint_ = path->string();
    } else {
        const tcp::endpoint endpoint{asio::ip::address_v4::loopback(),
                                     std::get<TcpPort>(address).number};
        acceptor_.open(Protocol{AF_INET, IPPROTO_TCP});
        acceptor_.set_option(asio::socket_base::reuse_address{true});
        acceptor_.bind(endpoint);
        tcp::endpoint bound;
        const Protocol::endpoint chosen = acceptor_.local_endpoint();
        std::memcpy(bound.data(), chosen.data(), chosen.size());
        endpoint_ = fmt::format("127.0.0.1:{}", bound.port());
    }
    acceptor_.listen();
    accept();
}

// A second GDB waits for an answer that only the first gets; so it is sent away.
void Server::accept() {
    acceptor_.async_accept([this](boost::system::error_code error, Session::Socket socket) {
        if (error == asio::error::operation_aborted) return;
        const auto present = session_.lock();
        if (!error && (!present || present->is_closed())) {
            boost::system::error_code ignored;
            // Packets are small, and each waits for the one before.
            socket.set_option(tcp::no_delay{true}, ignored);
            const auto session = std::make_shared<Session>(machine_, std::move(socket), [] {
                write_log(BACKPLANE_LOG_INFO, "gdb", "the debugger went away");
            });
            session_ = session;
            session->start();
        }
        accept();
    });
}

}  // namespace backplane::runtime::gdb
