#include "file_content.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace backplane::linux_boot {

std::expected<std::vector<std::byte>, std::string> read_file(const std::filesystem::path& path) {
    const auto failure = [](int error) {
        return std::unexpected("cannot be read: " + std::string{std::strerror(error)});
    };
    // Without O_NONBLOCK a named pipe would wait for a writer.
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return failure(errno);

    struct stat status{};
    int error = fstat(fd, &status) != 0 ? errno : S_ISDIR(status.st_mode) ? EISDIR : 0;
    std::vector<std::byte> content;
    if (error == 0 && !S_ISREG(status.st_mode)) {
        close(fd);
        return std::unexpected("cannot be read: it is not a regular file");
    }
    // No more can be loaded below 4 GiB, so a huge file need not fill our memory to be refused.
    if (error == 0 && status.st_size > std::int64_t{0xffffffff}) {
        close(fd);
        return std::unexpected("is too large: 4 GiB or more");
    }
    if (error == 0) content.resize(static_cast<std::size_t>(status.st_size));
    std::size_t have = 0;
    while (error == 0 && have < content.size()) {
        const ssize_t got = read(fd, content.data() + have, content.size() - have);
        if (got == 0) break;  // it has become shorter
        if (got > 0)
            have += static_cast<std::size_t>(got);
        else if (errno != EINTR)
            error = errno;
    }
    close(fd);
    if (error != 0) return failure(error);
    content.resize(have);
    return content;
}

}  // namespace backplane::linux_boot
