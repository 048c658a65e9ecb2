#include "cli/whole_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace backplane::cli {

WholeFile::WholeFile(std::filesystem::path path) : path_{std::move(path)} {
    // A link stays one, and /dev/stdout what it is.
    std::error_code unknown;
    const bool is_new = !std::filesystem::exists(std::filesystem::symlink_status(path_, unknown));
    if (std::filesystem::is_regular_file(path_, unknown))
        path_ = std::filesystem::canonical(path_, unknown);
    if (is_new || std::filesystem::is_regular_file(path_, unknown)) {
        temporary_ = path_;
        temporary_ += fmt::format(".{}.tmp", getpid());
    }
    errno = 0;
    file_.open(temporary_.empty() ? path_ : temporary_);
}

WholeFile::WholeFile(WholeFile&& other) noexcept
    : path_{std::move(other.path_)}, temporary_{std::exchange(other.temporary_, {})},
      file_{std::move(other.file_)} {}

WholeFile::~WholeFile() {
    std::error_code ignored;
    if (!temporary_.empty()) std::filesystem::remove(temporary_, ignored);
}

std::expected<WholeFile, std::string> WholeFile::open(const std::filesystem::path& path) {
    WholeFile file{path};
    if (!file.file_) return file.refuse(errno);
    return file;
}

std::expected<void, std::string> WholeFile::write(std::string_view content) {
    errno = 0;
    file_ << content;
    file_.close();
    if (!file_) return refuse(errno);
    if (temporary_.empty()) return {};
    std::error_code failure;
    std::filesystem::rename(temporary_, path_, failure);
    if (failure) return refuse(failure.value());
    temporary_.clear();
    return {};
}

std::unexpected<std::string> WholeFile::refuse(int why) const {
    return std::unexpected{
        fmt::format("{}: {}", path_.string(), std::strerror(why != 0 ? why : EIO))};
}

}  // namespace backplane::cli
