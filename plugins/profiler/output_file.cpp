#include "output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::profiler {

std::expected<void, std::string> OutputFile::open(const std::filesystem::path& path) {
    path_ = path;
    // O_NONBLOCK: opening a named pipe without a reader fails instead of waiting for one.
    file_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                   0666);
    if (file_ >= 0) return {};
    return std::unexpected{"cannot open \"" + path.string() +
                           "\" for writing: " + std::strerror(errno)};
}

std::expected<void, std::string> OutputFile::write(std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(file_, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0)
            return std::unexpected{"cannot write to \"" + path_.string() +
                                   "\": " + std::strerror(errno)};
        bytes.remove_prefix(static_cast<std::size_t>(count));
        bytes_ += static_cast<std::uint64_t>(count);
    }
    return {};
}

void OutputFile::close() {
    if (is_open()) ::close(std::exchange(file_, -1));
}

}  // namespace backplane::profiler
