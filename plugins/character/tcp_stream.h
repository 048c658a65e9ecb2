// A TCP server for one client of this host.
#pragma once

#include "socket_stream.h"

namespace backplane::character {

class TcpStream final : public SocketStream {
public:
    static void declare(Declaration<TcpStream>& d);

    Outcome start();

private:
    std::uint16_t port_ = 0;
    bool wait_ = false;
};

}  // namespace backplane::character
