#include "tcp_stream.h"

#include "host_error.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace backplane::character {

void TcpStream::declare(Declaration<TcpStream>& d) {
    d.type("character.tcp", "TCP server on the loopback address, one client at a time");
    d.property("port", &TcpStream::port_, "Port on 127.0.0.1; 0 takes a free one and logs it")
        .range<std::uint16_t>(0, 65535);
    d.property("wait", &TcpStream::wait_, "Start the machine only when a client is there");
    declare_stream(d);
}

Outcome TcpStream::start() {
    // Guests' consoles have no password, so nobody but this host may connect.
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);

    Descriptor listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    const int yes = 1;
    if (!listener || setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        ::bind(listener.get(), generic, size) != 0 ||
        getsockname(listener.get(), generic, &size) != 0) {
        return std::unexpected(
            host_error("cannot use port " + std::to_string(port_) + " of 127.0.0.1", errno));
    }
    return serve(std::move(listener), "127.0.0.1:" + std::to_string(ntohs(address.sin_port)),
                 wait_);
}

}  // namespace backplane::character
