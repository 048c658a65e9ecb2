#include "images/host_file.h"

#include "images/zero_data.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace backplane::images {

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

std::expected<std::unique_ptr<HostFile>, std::string>
HostFile::open(const std::filesystem::path& path, FileAccess access, Locking locking,
               Caching caching) {
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
    std::unique_ptr<HostFile> file{new HostFile{fd, access}};
    if (std::string why = file->find_size(); !why.empty())
        return std::unexpected("\"" + path.string() + "\" cannot be an image: " + why);
    if (locking == Locking::Yes)
        if (std::string why = file->lock(); !why.empty())
            return std::unexpected("\"" + path.string() + "\" " + why);
    file->is_unsafe_ = caching == Caching::Unsafe;
    if (caching == Caching::None)
        if (std::string why = file->go_direct(); !why.empty())
            return std::unexpected("\"" + path.string() + "\" " + why);
    return file;
}

std::expected<std::unique_ptr<HostFile>, std::string>
HostFile::create(const std::filesystem::path& path, Existing existing) {
    const int only_new = existing == Existing::IsAnError ? O_EXCL : 0;
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK | only_new, 0644);
    if (fd < 0) return std::unexpected(because("cannot create", path, errno));
    std::unique_ptr<HostFile> file{new HostFile{fd, FileAccess::ReadWrite}};
    if (std::string why = file->find_size(); !why.empty())
        return std::unexpected("\"" + path.string() + "\" cannot be an image: " + why);
    // Not emptied before it is known that nobody uses it.
    if (std::string why = file->lock(); !why.empty())
        return std::unexpected("\"" + path.string() + "\" " + why);
    if (!file->is_device_)
        if (const int error = file->resize(0); error != 0)
            return std::unexpected(because("cannot overwrite", path, error));
    return file;
}

std::expected<std::unique_ptr<HostFile>, std::string> HostFile::temporary() {
    const char* wanted = std::getenv("TMPDIR");
    const std::filesystem::path folder = wanted != nullptr && *wanted != 0 ? wanted : "/var/tmp";
    int fd = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        std::string name = (folder / "backplane-XXXXXX").string();
        fd = mkostemp(name.data(), O_CLOEXEC);
        if (fd >= 0) unlink(name.c_str());
    }
    if (fd < 0) return std::unexpected(because("cannot make a temporary file in", folder, errno));
    return std::unique_ptr<HostFile>{new HostFile{fd, FileAccess::ReadWrite}};
}

HostFile::~HostFile() { close(fd_); }

std::string HostFile::find_size() {
    struct stat status{};
    if (fstat(fd_, &status) != 0) return std::strerror(errno);
    if (S_ISREG(status.st_mode)) {
        size_ = static_cast<std::uint64_t>(status.st_size);
        had_name_ = status.st_nlink != 0;
        return {};
    }
    if (!S_ISBLK(status.st_mode)) return "it is neither a file nor a block device";
    is_device_ = true;
    std::uint64_t size = 0;
    if (ioctl(fd_, BLKGETSIZE64, &size) != 0) return std::strerror(errno);
    size_ = size;
    return {};
}

// The first byte is for programs like this one: a writer is alone, readers share. The others are
// how QEMU tells what it does with a file (its file-posix.c): a byte from 100 on for each right
// that somebody has, one from 200 on for each that he grants nobody else. They are only ever
// read-locked, and each looks whether others' bytes contradict his own.
std::string HostFile::lock() const {
    constexpr off_t has = 100, denies = 200, reading = 0, writing = 1, resizing = 3;
    const bool writes = !is_read_only();
    std::string refusal =
        writes ? "is in use by another device or program; read-only: true shares it with other "
                 "readers, locking: false takes the risk"
               : "is being written by another device or program";
    const auto on = [this](int command, short type, off_t byte, struct flock& range) {
        range = {};
        range.l_type = type;
        range.l_whence = SEEK_SET;
        range.l_start = byte;
        range.l_len = 1;
        return fcntl(fd_, command, &range) == 0;
    };
    struct flock range{};
    if (!on(F_OFD_SETLK, writes ? F_WRLCK : F_RDLCK, 0, range))
        return errno == EAGAIN || errno == EACCES ? refusal : "";  // or a file system without locks
    for (const off_t right : {reading, writing, resizing}) {
        if (right == reading || writes) (void)on(F_OFD_SETLK, F_RDLCK, has + right, range);
        if (right != reading) (void)on(F_OFD_SETLK, F_RDLCK, denies + right, range);
    }
    for (const off_t right : {reading, writing, resizing}) {
        const bool wants = right == reading || writes, denied = right != reading;
        if (wants && on(F_OFD_GETLK, F_WRLCK, denies + right, range) && range.l_type != F_UNLCK)
            return refusal;
        if (denied && on(F_OFD_GETLK, F_WRLCK, has + right, range) && range.l_type != F_UNLCK)
            return refusal;
    }
    return {};
}

FileIdentity HostFile::identity() const {
    struct stat status{};
    (void)fstat(fd_, &status);
    return {status.st_dev, status.st_ino};
}

std::uint64_t HostFile::allocated_size() const {
    struct stat status{};
    (void)fstat(fd_, &status);
    return is_device_ ? size_.load() : static_cast<std::uint64_t>(status.st_blocks) * 512;
}

int HostFile::read(std::uint64_t offset, Segments segments, Waiting waiting) {
    if (is_direct_ && waiting == Waiting::No) return EAGAIN;
    if (is_direct_ && !is_aligned(offset, segments)) return read_unaligned(offset, segments);
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
            if (offset < size_) return EIO;  // somebody cut it off
            fill_with_zeroes(rest);
            return 0;
        }
        offset += static_cast<std::uint64_t>(got);
        advance(rest, static_cast<std::size_t>(got));
        // Past the host's memory there is no reading on from within a block.
        if (is_direct_ && !rest.empty() && offset % offset_alignment_ != 0) {
            if (offset < size_) return EIO;
            fill_with_zeroes(rest);
            return 0;
        }
    }
    return 0;
}

int HostFile::write(std::uint64_t offset, Segments segments, Durability durability) {
    if (durability == Durability::Stable && is_gone()) return ENOENT;
    const int flags = durability == Durability::Stable && !is_unsafe_ ? RWF_DSYNC : 0;
    if (!is_direct_) return write_plainly(offset, segments, flags);
    if (!is_aligned(offset, segments)) return write_unaligned(offset, segments, flags);
    gate_.enter();
    const int error = write_plainly(offset, segments, flags);
    gate_.leave();
    return error;
}

int HostFile::write_plainly(std::uint64_t offset, Segments segments, int flags) {
    std::vector<iovec> rest{segments.begin(), segments.end()};
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
    has_grown_to(offset);
    return 0;
}

void HostFile::has_grown_to(std::uint64_t end) {
    std::uint64_t size = size_;
    while (size < end && !size_.compare_exchange_weak(size, end)) {
    }
}

// The host goes on serving a file that was deleted or replaced, and forgets it when it is closed:
// what is written to it is lost.
bool HostFile::is_gone() const {
    struct stat status{};
    return had_name_ && fstat(fd_, &status) == 0 && status.st_nlink == 0;
}

int HostFile::flush() {
    if (is_read_only()) return 0;
    if (is_gone()) return ENOENT;
    if (is_unsafe_) return 0;
    if (const int error = flush_error_; error != 0) return error;
    while (fdatasync(fd_) != 0) {
        if (errno == EINTR) continue;
        // The host has dropped what it could not write: no later flush can make it good.
        flush_error_ = errno;
        return flush_error_;
    }
    return 0;
}

int HostFile::discard(std::uint64_t offset, std::uint64_t length) {
    if (!can_discard_ || length == 0) return 0;
    if (fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length)) == 0)
        return 0;
    // Only a hint: what cannot be given back is kept.
    return errno == EOPNOTSUPP || errno == ENOSYS ? 0 : errno;
}

int HostFile::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) {
    if (length == 0) return 0;
    const int how = may_discard ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
    if (offset + length <= size_ &&
        fallocate(fd_, how | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset),
                  static_cast<off_t>(length)) == 0)
        return 0;
    return write_zero_data(*this, offset, length);
}

int HostFile::resize(std::uint64_t size) {
    if (is_device_ || is_read_only()) return EINVAL;
    if (ftruncate(fd_, static_cast<off_t>(size)) != 0) return errno;
    size_ = size;
    return 0;
}

int HostFile::extent(std::uint64_t offset, std::uint64_t length, Extent& extent) {
    const auto from = static_cast<off_t>(offset);
    const off_t data = is_device_ ? from : lseek(fd_, from, SEEK_DATA);
    const std::uint64_t end = offset + length;
    if (data < 0 && errno == ENXIO) {  // no more data, and what lies past the end is zeroes too
        extent = {.length = length, .is_zero = true};
    } else if (data > from) {
        extent = {.length = std::min(end, static_cast<std::uint64_t>(data)) - offset,
                  .is_zero = true};
    } else {
        const off_t hole = data < 0 || is_device_ ? -1 : lseek(fd_, from, SEEK_HOLE);
        extent = {.length = (hole <= from ? end : std::min(end, static_cast<std::uint64_t>(hole))) -
                            offset};
    }
    return 0;
}

}  // namespace backplane::images
