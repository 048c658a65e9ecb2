#include "images/overlay.h"

#include "images/host_file.h"
#include "images/raw_storage.h"
#include "images/zero_data.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>

namespace backplane::images {

namespace {

// Calls visit(offset, bytes) for each segment of a range; stops at the first error.
template <class Visit>
int for_each_segment(std::uint64_t offset, Segments segments, Visit visit) {
    for (const iovec& segment : segments) {
        const std::span bytes{static_cast<std::byte*>(segment.iov_base), segment.iov_len};
        if (const int error = visit(offset, bytes); error != 0) return error;
        offset += segment.iov_len;
    }
    return 0;
}

}  // namespace

std::expected<std::unique_ptr<Overlay>, std::string>
Overlay::above(std::unique_ptr<ImageStorage> base) {
    auto top = HostFile::temporary();
    if (!top) return std::unexpected(top.error());
    return std::make_unique<Overlay>(std::move(base),
                                     std::make_unique<RawStorage>(std::move(*top)));
}

Overlay::Overlay(std::unique_ptr<ImageStorage> base, std::unique_ptr<ImageStorage> top)
    : base_{std::move(base)}, top_{std::move(top)}, size_{base_->size()}, base_size_{size_},
      written_((size_ + grain - 1) / grain) {}

std::uint64_t Overlay::same_place_until(std::uint64_t offset, std::uint64_t end) const {
    const bool place = is_written(offset);
    std::uint64_t next = (offset / grain + 1) * grain;
    while (next < end && is_written(next) == place)
        next += grain;
    return std::min(next, end);
}

int Overlay::read(std::uint64_t offset, Segments segments, Waiting waiting) {
    std::shared_lock lock{mutex_, std::defer_lock};
    if (waiting == Waiting::Yes)
        lock.lock();
    else if (!lock.try_lock())
        return EAGAIN;
    return for_each_segment(offset, segments, [&](std::uint64_t at, std::span<std::byte> bytes) {
        while (!bytes.empty()) {
            const std::uint64_t length = same_place_until(at, at + bytes.size()) - at;
            const auto part = bytes.first(length);
            const int error = is_written(at) ? top_->read(at, Segment{part}, waiting)
                                             : read_base(at, part, waiting);
            if (error != 0) return error;
            at += length;
            bytes = bytes.subspan(length);
        }
        return 0;
    });
}

// What a resize added is not in the base, and reads as zeroes.
int Overlay::read_base(std::uint64_t offset, std::span<std::byte> bytes, Waiting waiting) {
    const std::uint64_t there = offset < base_size_
                                    ? std::min<std::uint64_t>(bytes.size(), base_size_ - offset)
                                    : 0;
    std::memset(bytes.data() + there, 0, bytes.size() - there);
    if (there == 0) return 0;
    return base_->read(offset, Segment{bytes.first(there)}, waiting);
}

int Overlay::keep_grain(std::uint64_t offset) {
    const std::uint64_t start = offset / grain * grain;
    if (is_written(start)) return 0;
    std::array<std::byte, grain> bytes{};
    const std::uint64_t length = std::min(grain, size_ - start);
    if (const int error = read_base(start, std::span{bytes}.first(length), Waiting::Yes);
        error != 0)
        return error;
    if (const int error = top_->write(start, Segment{bytes}, Durability::Cached); error != 0)
        return error;
    written_[start / grain] = true;
    return 0;
}

int Overlay::keep_surroundings(std::uint64_t offset, std::uint64_t end) {
    if (offset % grain != 0)
        if (const int error = keep_grain(offset); error != 0) return error;
    return end % grain != 0 ? keep_grain(end) : 0;
}

int Overlay::write(std::uint64_t offset, Segments segments, Durability) {
    const std::unique_lock lock{mutex_};
    return write_locked(offset, segments);
}

int Overlay::try_write(std::uint64_t offset, Segments segments) {
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return EAGAIN;
    const std::uint64_t end = offset + total(segments);
    const auto needs_base = [&](std::uint64_t at) { return at % grain != 0 && !is_written(at); };
    return needs_base(offset) || needs_base(end) ? EAGAIN : write_locked(offset, segments);
}

int Overlay::write_locked(std::uint64_t offset, Segments segments) {
    const std::uint64_t end = offset + total(segments);
    if (end == offset) return 0;
    if (const int error = keep_surroundings(offset, end); error != 0) return error;
    if (const int error = top_->write(offset, segments, Durability::Cached); error != 0)
        return error;
    for (std::uint64_t at = offset / grain; at < (end + grain - 1) / grain; ++at)
        written_[at] = true;
    return 0;
}

int Overlay::write_zeroes(std::uint64_t offset, std::uint64_t length, bool) {
    return write_zero_data(*this, offset, length);
}

int Overlay::extent(std::uint64_t offset, std::uint64_t length, Extent& extent) {
    const std::shared_lock lock{mutex_};
    length = same_place_until(offset, offset + length) - offset;
    extent = {.length = length};
    if (is_written(offset)) return 0;
    extent.is_own = false;
    extent.is_zero = offset >= base_size_;
    if (extent.is_zero) return 0;
    const int error = base_->extent(offset, std::min(length, base_size_ - offset), extent);
    extent.is_own = false;
    return error;
}

int Overlay::resize(std::uint64_t size) {
    const std::unique_lock lock{mutex_};
    if (size % 512 != 0) return EINVAL;
    // What was cut off reads as zeroes when it comes back.
    base_size_ = std::min(base_size_, size);
    if (size < size_) {
        const std::uint64_t first_whole = (size + grain - 1) / grain;
        for (std::uint64_t at = first_whole; at < written_.size(); ++at)
            written_[at] = false;
        if (const int error = top_->resize(size); error != 0) return error;
    }
    size_ = size;
    written_.resize((size + grain - 1) / grain);
    return 0;
}

}  // namespace backplane::images
