#include "unix_stream.h"

#include "host_error.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace backplane::character {

namespace {

sockaddr_un address_of(const std::filesystem::path& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    return address;
}

}  // namespace

void UnixStream::declare(Declaration<UnixStream>& d) {
    d.type("character.unix", "Unix domain socket server, one client at a time");
    d.property("path", &UnixStream::path_, "The socket to make").required();
    d.property("wait", &UnixStream::wait_, "Start the machine only when a client is there");
    declare_stream(d);
}

Outcome UnixStream::start() {
    sockaddr_un address = address_of(path_);
    if (path_.string().size() >= sizeof address.sun_path) {
        return std::unexpected("\"" + path_.string() + "\" is too long for a socket: at most " +
                               std::to_string(sizeof address.sun_path - 1) + " bytes");
    }
    if (auto outcome = make_room(); !outcome) return outcome;
    Descriptor listener{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!listener ||
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        return std::unexpected(
            host_error("cannot make the socket \"" + path_.string() + "\"", errno));
    }
    bound_ = true;
    return serve(std::move(listener), path_.string(), wait_);
}

// Removes a socket that nobody listens on any more, left behind by a run that could not clean up.
Outcome UnixStream::make_room() const {
    std::error_code error;
    if (std::filesystem::status(path_, error).type() != std::filesystem::file_type::socket)
        return {};
    const sockaddr_un address = address_of(path_);
    const Descriptor probe{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
        errno != ECONNREFUSED) {
        return std::unexpected("somebody listens on \"" + path_.string() + "\" already");
    }
    std::filesystem::remove(path_, error);
    return {};
}

void UnixStream::stop() {
    SocketStream::stop();
    std::error_code error;
    if (bound_) std::filesystem::remove(path_, error);
    bound_ = false;
}

}  // namespace backplane::character
