// Files that are read and written past the host's memory (O_DIRECT). Offsets, lengths and memory
// must be aligned as the disk wants it; what is not goes through memory that is.
#include "images/aligned_buffer.h"
#include "images/host_file.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

namespace backplane::images {

namespace {

constexpr std::size_t most_at_once = 1 << 20;

bool is_multiple(std::uint64_t value, std::uint32_t of) { return (value & (of - 1)) == 0; }

}  // namespace

std::string HostFile::go_direct() {
    if (const int flags = fcntl(fd_, F_GETFL); fcntl(fd_, F_SETFL, flags | O_DIRECT) != 0)
        return "cannot be used with cache: none, because its file system does not know O_DIRECT";
    is_direct_ = true;
    struct statx status{};
    // C libraries may be older than this call's answer.
    if (syscall(SYS_statx, fd_, "", AT_EMPTY_PATH, STATX_DIOALIGN, &status) != 0) return {};
    if ((status.stx_mask & STATX_DIOALIGN) == 0) return {};
    const std::uint32_t most = static_cast<std::uint32_t>(AlignedBuffer::alignment);
    const auto use = [&](std::uint32_t said, std::uint32_t& alignment) {
        if (std::has_single_bit(said) && said <= most) alignment = said;
    };
    use(status.stx_dio_offset_align, offset_alignment_);
    use(status.stx_dio_mem_align, memory_alignment_);
    return {};
}

bool HostFile::is_aligned(std::uint64_t offset, Segments segments) const {
    return is_multiple(offset, offset_alignment_) &&
           std::ranges::all_of(segments, [&](const iovec& segment) {
               return is_multiple(segment.iov_len, offset_alignment_) &&
                      is_multiple(std::bit_cast<std::uintptr_t>(segment.iov_base),
                                  memory_alignment_);
           });
}

// Calls move(start, buffer, skipped, part) for one aligned piece of the file after another, each
// with the part of the segments that lies `skipped` bytes into it.
template <class Move>
int HostFile::for_each_piece(std::uint64_t offset, Segments segments, Move move) {
    SegmentCursor cursor{segments};
    const std::uint64_t mask = offset_alignment_ - 1;
    for (std::uint64_t left = total(segments); left != 0;) {
        const std::uint64_t start = offset & ~mask, skipped = offset - start;
        const std::uint64_t length = std::min(left, most_at_once - skipped);
        AlignedBuffer buffer{(skipped + length + mask) & ~mask};
        const Segments part = cursor.take(length);
        if (const int error = move(start, buffer.bytes(), skipped, part); error != 0) return error;
        offset += length;
        left -= length;
    }
    return 0;
}

int HostFile::read_unaligned(std::uint64_t offset, Segments segments) {
    return for_each_piece(offset, segments,
                          [&](std::uint64_t start, std::span<std::byte> buffer,
                              std::uint64_t skipped, Segments part) {
                              const int error = read(start, Segment{buffer}, Waiting::Yes);
                              if (error == 0) scatter(buffer.subspan(skipped, total(part)), part);
                              return error;
                          });
}

// Nobody else writes meanwhile: what surrounds the bytes is written again.
int HostFile::write_unaligned(std::uint64_t offset, Segments segments, int flags) {
    gate_.close();
    const int error = for_each_piece(
        offset, segments,
        [&](std::uint64_t start, std::span<std::byte> buffer, std::uint64_t skipped,
            Segments part) {
            if (start + buffer.size() > size_) return write_end(start + skipped, part, flags);
            if (const int failed = read(start, Segment{buffer}, Waiting::Yes); failed != 0)
                return failed;
            gather(part, buffer.subspan(skipped, total(part)));
            return write_plainly(start, Segment{buffer}, flags);
        });
    gate_.open();
    return error;
}

// The file shall not become longer than what is written, not even for a moment. The bytes are on
// the disk before anybody goes past the host's memory again.
int HostFile::write_end(std::uint64_t offset, Segments segments, int flags) {
    const int status = fcntl(fd_, F_GETFL);
    if (fcntl(fd_, F_SETFL, status & ~O_DIRECT) != 0) return errno;
    int error = write_plainly(offset, segments, flags);
    if (error == 0) error = flush();
    if (fcntl(fd_, F_SETFL, status) != 0 && error == 0) error = errno;
    return error;
}

bool HostFile::begin_read(std::uint64_t offset, Segments segments, FileTask& task) {
    if (offset + total(segments) > size_) return false;
    if (is_direct_ && !is_aligned(offset, segments)) return false;
    task = {.fd = fd_, .offset = offset, .segments = {segments.begin(), segments.end()}};
    return true;
}

// Elsewhere writing is copying, and done before anybody else could begin.
bool HostFile::begin_write(std::uint64_t offset, Segments segments, FileTask& task) {
    if (!is_direct_ || is_read_only() || offset + total(segments) > size_) return false;
    if (!is_aligned(offset, segments) || !gate_.try_enter()) return false;
    task = {.fd = fd_,
            .offset = offset,
            .segments = {segments.begin(), segments.end()},
            .finish = [this](int error) { return gate_.leave(), error; }};
    return true;
}

}  // namespace backplane::images
