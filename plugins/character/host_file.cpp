#include "host_file.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <string>

namespace backplane::character {

namespace {

bool would_wait(int fd, short events) {
    pollfd entry{fd, events, 0};
    return poll(&entry, 1, 0) == 0;
}

// A write to a closed pipe then only gives EPIPE, whatever the program does about SIGPIPE.
class PipeSignalBlocked {
public:
    PipeSignalBlocked() {
        sigset_t pending;
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }

    ~PipeSignalBlocked() {
        const int error = errno;
        const timespec now{};
        if (!was_pending_) sigtimedwait(&pipe_, nullptr, &now);
        pthread_sigmask(SIG_SETMASK, &before_, nullptr);
        errno = error;
    }

    PipeSignalBlocked(const PipeSignalBlocked&) = delete;
    PipeSignalBlocked& operator=(const PipeSignalBlocked&) = delete;

private:
    sigset_t pipe_, before_;
    bool was_pending_;
};

}  // namespace

HostFile HostFile::for_reading(int fd) { return open_again(fd, O_RDONLY); }
HostFile HostFile::for_writing(int fd) { return open_again(fd, O_WRONLY); }

HostFile HostFile::owned(Descriptor descriptor) {
    HostFile file;
    file.own_ = std::move(descriptor);
    file.fd_ = file.own_.get();
    return file;
}

HostFile HostFile::for_socket(Descriptor descriptor) {
    HostFile file = owned(std::move(descriptor));
    file.kind_ = Kind::Socket;
    return file;
}

HostFile HostFile::open_again(int fd, int flags) {
    HostFile file;
    // Where a standard descriptor was closed, its number went to the next file that was opened
    // here. Those are all marked to be closed on exec, which no inherited one can be.
    const int descriptor_flags = fcntl(fd, F_GETFD);
    struct stat status{};
    if (descriptor_flags < 0 || (descriptor_flags & FD_CLOEXEC) || fstat(fd, &status) != 0)
        return file;
    file.fd_ = fd;
    if (S_ISSOCK(status.st_mode)) file.kind_ = Kind::Socket;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return file;
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    file.own_.reset(open(path.c_str(), flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (file.own_)
        file.fd_ = file.own_.get();
    else
        file.kind_ = Kind::Waits;  // no permission, after su for example
    return file;
}

ssize_t HostFile::read(std::span<std::uint8_t> bytes) const {
    if (kind_ == Kind::Socket) return recv(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (kind_ == Kind::Waits && would_wait(fd_, POLLIN)) {
        errno = EAGAIN;
        return -1;
    }
    return ::read(fd_, bytes.data(), bytes.size());
}

ssize_t HostFile::write(std::span<const std::uint8_t> bytes) const {
    if (kind_ == Kind::Socket)
        return send(fd_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (kind_ == Kind::Waits) {
        if (would_wait(fd_, POLLOUT)) {
            errno = EAGAIN;
            return -1;
        }
        bytes = bytes.first(std::min<std::size_t>(
            bytes.size(), 256));  // what a terminal that polls as writable takes
    }
    const PipeSignalBlocked blocked;
    return ::write(fd_, bytes.data(), bytes.size());
}

}  // namespace backplane::character
