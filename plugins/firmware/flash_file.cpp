#include "flash_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace backplane::firmware {

namespace {

std::unexpected<std::string> failure(const std::string& what, int error) {
    return std::unexpected(what + ": " + std::strerror(error));
}

// Nobody ever sees a half copied file under its name.
std::expected<void, std::string> make_from(const std::filesystem::path& initial,
                                           const std::filesystem::path& path) {
    std::filesystem::path unfinished = path;
    unfinished += ".new";
    std::error_code error;
    std::filesystem::copy_file(initial, unfinished,
                               std::filesystem::copy_options::overwrite_existing, error);
    if (!error) {
        std::filesystem::permissions(unfinished, std::filesystem::perms::owner_write,
                                     std::filesystem::perm_options::add, error);
    }
    if (!error) std::filesystem::rename(unfinished, path, error);
    if (!error) return {};
    std::error_code ignored;
    std::filesystem::remove(unfinished, ignored);
    return std::unexpected("cannot be made from \"" + initial.string() + "\": " + error.message());
}

}  // namespace

std::expected<FlashFile, std::string> FlashFile::open(const std::filesystem::path& path,
                                                      const std::filesystem::path& initial,
                                                      Mode mode) {
    std::error_code error;
    if (!initial.empty() && !std::filesystem::exists(path, error)) {
        if (auto made = make_from(initial, path); !made) return std::unexpected(made.error());
    }
    // Without O_NONBLOCK a named pipe would wait for a writer.
    const int access = mode == Mode::ReadOnly ? O_RDONLY : O_RDWR;
    const int fd = ::open(path.c_str(), access | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return failure("cannot be opened", errno);
    struct stat status{};
    FlashFile file{fd, 0};
    if (fstat(fd, &status) != 0) return failure("cannot be opened", errno);
    if (!S_ISREG(status.st_mode))
        return std::unexpected(std::string{"cannot be opened: it is not a regular file"});
    // Two machines that keep their variables in one file would destroy them.
    if (mode == Mode::ReadWrite && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return std::unexpected(std::string{"is in use by another machine"});
        return failure("cannot be locked", errno);
    }
    file.size_ = static_cast<std::uint64_t>(status.st_size);
    return file;
}

FlashFile::FlashFile(FlashFile&& other) noexcept
    : fd_{std::exchange(other.fd_, -1)}, size_{other.size_} {}

FlashFile& FlashFile::operator=(FlashFile&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(size_, other.size_);
    return *this;
}

FlashFile::~FlashFile() {
    if (fd_ >= 0) close(fd_);
}

std::expected<void, std::string> FlashFile::read(std::span<std::byte> content) const {
    for (std::size_t have = 0; have < content.size();) {
        const ssize_t got = pread(fd_, content.data() + have, content.size() - have,
                                  static_cast<off_t>(have));
        if (got == 0) return std::unexpected(std::string{"has become shorter"});
        if (got > 0)
            have += static_cast<std::size_t>(got);
        else if (errno != EINTR)
            return failure("cannot be read", errno);
    }
    return {};
}

std::expected<void, std::string> FlashFile::write(std::uint64_t offset,
                                                  std::span<const std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t put = pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (put > 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(put));
            offset += static_cast<std::uint64_t>(put);
        } else if (put == 0 || errno != EINTR) {
            return failure("cannot be written", put == 0 ? ENOSPC : errno);
        }
    }
    return {};
}

std::expected<void, std::string> FlashFile::flush() const {
    if (fdatasync(fd_) != 0) return failure("cannot be written", errno);
    return {};
}

}  // namespace backplane::firmware
