// Reading and writing descriptors that are shared with others, without ever waiting in them and
// without a SIGPIPE.
#pragma once

#include "descriptor.h"

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::character {

// O_NONBLOCK belongs to the open file that a shell shares with us, so it is not set there.
// Terminals and pipes are opened a second time instead; sockets have flags for each call; regular
// files never make anybody wait.
class HostFile {
public:
    HostFile() = default;
    // `fd` stays the caller's and must stay open. Nothing comes of one that this program was not
    // started with.
    static HostFile for_reading(int fd);
    static HostFile for_writing(int fd);
    // A descriptor of our own that is already non-blocking, or a regular file.
    static HostFile owned(Descriptor descriptor);
    static HostFile for_socket(Descriptor descriptor);

    explicit operator bool() const { return fd_ >= 0; }
    // For a Poller.
    int descriptor() const { return fd_; }

    // As read and write do; -1 with EAGAIN instead of waiting.
    ssize_t read(std::span<std::uint8_t> bytes) const;
    ssize_t write(std::span<const std::uint8_t> bytes) const;

private:
    enum class Kind : std::uint8_t { Plain, Socket, Waits };

    static HostFile open_again(int fd, int flags);

    int fd_ = -1;
    Kind kind_ = Kind::Plain;
    Descriptor own_;
};

}  // namespace backplane::character
