#include "runtime/control/server.h"

#include "runtime/control/request.h"

#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace backplane::runtime::control {

namespace asio = boost::asio;
using asio::ip::tcp;
using Unix = asio::local::stream_protocol;

namespace {

constexpr std::size_t most_clients = 64;
// How long clients may take to read their last lines.
constexpr std::chrono::milliseconds farewell{1000};
// When the host refuses us a connection: it has no file descriptors left, say.
constexpr std::chrono::milliseconds accept_again{100};

}  // namespace

Server::Server(Machine& machine, const MachineDescription& description)
    : work_{asio::make_work_guard(io_)},
      context_{machine, description, [this](const ordered_json& event) {
                   asio::post(io_, [this, event] {
                       for (const auto& connection : connections_)
                           connection->run_state_changed(event);
                   });
               }} {}

std::expected<void, std::string> Server::listen_unix(const ControlAddress& address) {
    if (auto free = SocketFile::make_way(address.path); !free) return free;
    boost::system::error_code error;
    Unix::acceptor acceptor{io_};
    acceptor.open(Unix{}, error);
    // The file is the owner's alone from the moment it is there.
    if (!error) fchmod(acceptor.native_handle(), S_IRUSR | S_IWUSR);
    if (!error) acceptor.bind(address.path, error);
    if (error) return std::unexpected{fmt::format("{}: {}", address.path, error.message())};
    SocketFile file{address.path};
    acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return std::unexpected{fmt::format("{}: {}", address.path, error.message())};
    unix_.push_back(std::make_unique<Listener<Unix>>(std::move(acceptor), std::move(file),
                                                     std::make_unique<asio::steady_timer>(io_)));
    return {};
}

std::expected<std::uint16_t, std::string> Server::listen_tcp(const ControlAddress& address) {
    const tcp::endpoint endpoint{asio::ip::make_address(address.host), address.port};
    boost::system::error_code error;
    tcp::acceptor acceptor{io_};
    acceptor.open(endpoint.protocol(), error);
    // The port may be had again at once after a run.
    if (!error) acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error) acceptor.bind(endpoint, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error) return std::unexpected{fmt::format("{}: {}", address.text(), error.message())};
    const std::uint16_t port = acceptor.local_endpoint().port();
    tcp_.push_back(std::make_unique<Listener<tcp>>(std::move(acceptor), SocketFile{},
                                                   std::make_unique<asio::steady_timer>(io_)));
    return port;
}

std::expected<ControlAddress, std::string> Server::listen(const ControlAddress& address) {
    ControlAddress result = address;
    if (address.is_unix()) {
        if (auto done = listen_unix(address); !done) return std::unexpected{done.error()};
        return result;
    }
    const auto port = listen_tcp(address);
    if (!port) return std::unexpected{port.error()};
    result.port = *port;
    return result;
}

void Server::start() {
    // Clients wait in the sockets' queues until the machine's controller carries out what they
    // want.
    context_.machine().control().post([this] {
        asio::post(io_, [this] {
            for (const auto& listener : unix_)
                accept(*listener);
            for (const auto& listener : tcp_)
                accept(*listener);
        });
    });
    thread_ = std::thread{[this] { io_.run(); }};
}

template <class Protocol>
void Server::accept(Listener<Protocol>& listener) {
    listener.acceptor.async_accept(
        [this, &listener](boost::system::error_code error, typename Protocol::socket socket) {
            if (closing_ || error == asio::error::operation_aborted) return;
            if (error) {
                listener.pause->expires_after(accept_again);
                listener.pause->async_wait([this, &listener](boost::system::error_code stopped) {
                    if (!stopped) accept(listener);
                });
                return;
            }
            admit(std::move(socket), std::is_same_v<Protocol, Unix> ? Connection::Trust::Owner
                                                                    : Connection::Trust::Stranger);
            accept(listener);
        });
}

void Server::admit(Connection::Socket socket, Connection::Trust trust) {
    if (connections_.size() >= most_clients) {
        const std::string line = reply_line(
            nullptr,
            refuse(ErrorKind::Failed, fmt::format("there are {} clients already", most_clients)));
        boost::system::error_code ignored;
        socket.non_blocking(true, ignored);
        socket.send(asio::buffer(line), 0, ignored);
        return;
    }
    const auto connection = std::make_shared<Connection>(
        context_, std::move(socket), trust, [this](Connection& gone) {
            std::erase_if(connections_, [&](const auto& each) { return each.get() == &gone; });
            if (closing_ && connections_.empty()) io_.stop();
        });
    connections_.push_back(connection);
    connection->start();
}

void Server::close() {
    closing_ = true;
    for (const auto& listener : unix_)
        listener->acceptor.close();
    for (const auto& listener : tcp_)
        listener->acceptor.close();
    if (connections_.empty()) return io_.stop();
    for (const auto& connection : std::vector{connections_})
        connection->finish();
    patience_.expires_after(farewell);
    patience_.async_wait([this](boost::system::error_code) { io_.stop(); });
}

void Server::stop() {
    if (!thread_.joinable()) return;
    asio::post(io_, [this] { close(); });
    thread_.join();
    connections_.clear();
    unix_.clear();
    tcp_.clear();
}

}  // namespace backplane::runtime::control
