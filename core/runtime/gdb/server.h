// Listens for GDB and gives it the machine, one connection at a time.
#pragma once

#include "runtime/gdb/server_address.h"
#include "runtime/machine.h"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>

#include <expected>
#include <filesystem>
#include <memory>
#include <string>

namespace backplane::runtime::gdb {

class Session;

class Server {
public:
    // Listens from now on; connections are served while the machine runs, which outlives this. The
    // error is a message for the user.
    static std::expected<std::unique_ptr<Server>, std::string> listen(Machine& machine,
                                                                      const ServerAddress& address);
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server();

    // As GDB's `target remote` takes it.
    [[nodiscard]] const std::string& endpoint() const { return endpoint_; }

private:
    using Protocol = boost::asio::generic::stream_protocol;
    using Acceptor = boost::asio::basic_socket_acceptor<Protocol>;

    explicit Server(Machine& machine);
    void open(const ServerAddress& address);
    void accept();

    Machine& machine_;
    Acceptor acceptor_;
    std::string endpoint_;
    std::filesystem::path socket_path_;  // to be removed
    std::weak_ptr<Session> session_;
};

}  // namespace backplane::runtime::gdb
