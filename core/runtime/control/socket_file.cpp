#include "runtime/control/socket_file.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::runtime::control {

std::expected<void, std::string> SocketFile::make_way(const std::string& path) {
    struct stat status{};
    if (lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return {};
        return std::unexpected{fmt::format("{}: {}", path, std::strerror(errno))};
    }
    if (!S_ISSOCK(status.st_mode))
        return std::unexpected{fmt::format("{} is there already, and is not a socket", path)};
    boost::asio::io_context context;
    boost::asio::local::stream_protocol::socket probe{context};
    boost::system::error_code error;
    probe.connect(path, error);
    if (error != boost::asio::error::connection_refused)
        return std::unexpected{error ? fmt::format("{} is there already: {}", path, error.message())
                                     : fmt::format("{} is in use by another program", path)};
    if (unlink(path.c_str()) != 0 && errno != ENOENT)
        return std::unexpected{fmt::format("{}: {}", path, std::strerror(errno))};
    return {};
}

SocketFile::SocketFile(std::string path) : path_{std::move(path)} {
    struct stat status{};
    if (lstat(path_.c_str(), &status) != 0) return;
    device_ = status.st_dev;
    inode_ = status.st_ino;
}

SocketFile::SocketFile(SocketFile&& other) noexcept
    : path_{std::exchange(other.path_, {})}, device_{other.device_}, inode_{other.inode_} {}

SocketFile& SocketFile::operator=(SocketFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(device_, other.device_);
    std::swap(inode_, other.inode_);
    return *this;
}

SocketFile::~SocketFile() {
    struct stat status{};
    if (path_.empty() || lstat(path_.c_str(), &status) != 0) return;
    if (status.st_dev == device_ && status.st_ino == inode_) unlink(path_.c_str());
}

}  // namespace backplane::runtime::control
