// A Unix domain socket for one client of this host.
#pragma once

#include "socket_stream.h"

#include <filesystem>

namespace backplane::character {

class UnixStream final : public SocketStream {
public:
    static void declare(Declaration<UnixStream>& d);

    Outcome start();
    void stop();

private:
    Outcome make_room() const;

    std::filesystem::path path_;
    bool wait_ = false;
    bool bound_ = false;
};

}  // namespace backplane::character
