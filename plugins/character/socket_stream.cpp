#include "socket_stream.h"

#include "host_error.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace backplane::character {

Outcome SocketStream::serve(Descriptor listener, std::string where, bool wait) {
    // Those who come while there is a client wait in the backlog.
    if (listen(listener.get(), 1) != 0)
        return std::unexpected(host_error("cannot listen on " + where, errno));
    listener_ = std::move(listener);
    where_ = std::move(where);
    start_polling();
    poller().add(listener_.get(), Poller::Trigger::Level, [this] { accept_client(); });
    if (!wait) {
        log(LogLevel::Info, "listening on ", where_);
        poller().want(listener_.get(), Poller::Interest::Read);
        return {};
    }
    log(LogLevel::Info, "waiting for a client on ", where_);
    while (!output()) {
        pollfd entry{listener_.get(), POLLIN, 0};
        if (poll(&entry, 1, -1) < 0)
            return std::unexpected(host_error("stopped waiting for a client on " + where_, errno));
        accept_client();
    }
    return {};
}

void SocketStream::accept_client() {
    Descriptor client{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
    if (!client) return;  // it has gone again
    poller().want(listener_.get(), Poller::Interest::None);
    log(LogLevel::Info, "a client connected to ", where_);
    incoming().set_connected(true);
    open_both(HostFile::for_socket(std::move(client)));
}

void SocketStream::lose_client(int error) {
    if (error == 0)
        log(LogLevel::Info, "the client of ", where_, " went away");
    else
        log(LogLevel::Info, host_error("the client of " + where_ + " went away", error));
    close_both();
    incoming().set_connected(false);
    poller().want(listener_.get(), Poller::Interest::Read);
}

void SocketStream::stop() {
    finish();
    listener_.reset();
}

}  // namespace backplane::character
