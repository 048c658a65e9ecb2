#include "image_file.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace backplane::storage {

namespace {

// Drops the first `bytes` of what is still to be moved.
void advance(std::vector<iovec>& rest, std::size_t bytes) {
    auto segment = rest.begin();
    while (segment != rest.end() && bytes >= segment->iov_len)
        bytes -= segment++->iov_len;
    rest.erase(rest.begin(), segment);
    if (bytes == 0 || rest.empty()) return;
    rest.front().iov_base = static_cast<std::byte*>(rest.front().iov_base) + bytes;
    rest.front().iov_len -= bytes;
}

int segment_count(const std::vector<iovec>& segments) {
    constexpr std::size_t most = 1024;  // IOV_MAX
    return static_cast<int>(std::min(segments.size(), most));
}

std::string because(const std::string& what, const std::filesystem::path& path, int error) {
    return what + " \"" + path.string() + "\": " + std::strerror(error);
}

}  // namespace

std::expected<std::unique_ptr<ImageFile>, std::string>
ImageFile::open(const std::filesystem::path& path, FileAccess access, Locking locking) {
    const bool writes = access == FileAccess::ReadWrite;
    // O_NONBLOCK: a named pipe is refused below, not waited for.
    const int fd = ::open(path.c_str(), (writes ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        const int error = errno;
        std::string reason = because(writes ? "cannot open for writing" : "cannot open", path,
                                     error);
        if (writes && (error == EACCES || error == EROFS || error == EPERM))
            reason += "; read-only: true opens it for reading";
        return std::unexpected(reason);
    }
    std::unique_ptr<ImageFile> file{new ImageFile{fd, access}};
    if (std::string why = file->find_size(); !why.empty())
        return std::unexpected("\"" + path.string() + "\" cannot be an image: " + why);
    if (locking == Locking::Yes)
        if (std::string why = file->lock(); !why.empty())
            return std::unexpected("\"" + path.string() + "\" " + why);
    return file;
}

std::expected<std::unique_ptr<ImageFile>, std::string> ImageFile::temporary() {
    const char* wanted = std::getenv("TMPDIR");
    const std::filesystem::path folder = wanted != nullptr && *wanted != 0 ? wanted : "/var/tmp";
    int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        std::string name = (folder / "backplane-XXXXXX").string();
        fd = mkostemp(name.data(), O_CLOEXEC);
        if (fd >= 0) unlink(name.c_str());
    }
    if (fd < 0) return std::unexpected(because("cannot make a temporary file in", folder, errno));
    return std::unique_ptr<ImageFile>{new ImageFile{fd, FileAccess::ReadWrite}};
}

ImageFile::~ImageFile() { close(fd_); }

std::string ImageFile::find_size() {
    struct stat status{};
    if (fstat(fd_, &status) != 0) return std::strerror(errno);
    if (S_ISREG(status.st_mode)) {
        file_size_ = static_cast<std::uint64_t>(status.st_size);
        return {};
    }
    if (!S_ISBLK(status.st_mode)) return "it is neither a file nor a block device";
    is_device_ = true;
    if (ioctl(fd_, BLKGETSIZE64, &file_size_) != 0) return std::strerror(errno);
    return {};
}

std::string ImageFile::lock() const {
    struct flock range{};
    range.l_type = static_cast<short>(is_read_only() ? F_RDLCK : F_WRLCK);
    range.l_whence = SEEK_SET;
    if (fcntl(fd_, F_OFD_SETLK, &range) == 0) return {};
    if (errno != EAGAIN && errno != EACCES) return {};  // a file system without locks
    return is_read_only() ? "is being written by another device or program"
                          : "is in use by another device or program; read-only: true shares it "
                            "with other readers, locking: false takes the risk";
}

int ImageFile::read(std::uint64_t offset, Segments segments, Waiting waiting) {
    std::vector<iovec> rest{segments.begin(), segments.end()};
    const int flags = waiting == Waiting::No ? RWF_NOWAIT : 0;
    while (!rest.empty()) {
        const ssize_t got = preadv2(fd_, rest.data(), segment_count(rest),
                                    static_cast<off_t>(offset), flags);
        if (got < 0) {
            if (errno == EINTR) continue;
            return errno == EOPNOTSUPP && waiting == Waiting::No ? EAGAIN : errno;
        }
        if (got == 0) {
            // Past the end there is nothing but the rest of the last sector.
            if (offset < file_size_) return EIO;
            for (const iovec& segment : rest)
                std::memset(segment.iov_base, 0, segment.iov_len);
            return 0;
        }
        offset += static_cast<std::uint64_t>(got);
        advance(rest, static_cast<std::size_t>(got));
    }
    return 0;
}

int ImageFile::write(std::uint64_t offset, Segments segments, Durability durability) {
    std::vector<iovec> rest{segments.begin(), segments.end()};
    const int flags = durability == Durability::Stable ? RWF_DSYNC : 0;
    while (!rest.empty()) {
        const ssize_t put = pwritev2(fd_, rest.data(), segment_count(rest),
                                     static_cast<off_t>(offset), flags);
        if (put < 0) {
            if (errno == EINTR) continue;
            return errno;
        }
        if (put == 0) return EIO;
        offset += static_cast<std::uint64_t>(put);
        advance(rest, static_cast<std::size_t>(put));
    }
    return 0;
}

int ImageFile::flush() {
    if (is_read_only()) return 0;
    while (fdatasync(fd_) != 0)
        if (errno != EINTR) return errno;
    return 0;
}

int ImageFile::discard(std::uint64_t offset, std::uint64_t length) {
    if (!can_discard_ || length == 0) return 0;
    if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length)) == 0)
        return 0;
    // Only a hint: what cannot be given back is kept.
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

int ImageFile::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) {
    if (length == 0) return 0;
    const int how = may_discard ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
    if (offset + length <= file_size_ &&
        fallocate(fd_, how | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length)) == 0)
        return 0;
    static constexpr std::array<std::byte, 64 << 10> zeroes{};
    while (length != 0) {
        const auto step = std::min<std::uint64_t>(length, zeroes.size());
        const iovec segment{const_cast<std::byte*>(zeroes.data()), step};
        if (const int error = write(offset, Segments{&segment, 1}, Durability::Cached); error != 0)
            return error;
        offset += step, length -= step;
    }
    return 0;
}

int ImageFile::resize(std::uint64_t size) {
    if (is_device_ || is_read_only()) return EINVAL;
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) return errno;
    file_size_ = size;
    return 0;
}

}  // namespace backplane::storage
