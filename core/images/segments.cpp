#include "images/segments.h"

#include <algorithm>
#include <cstring>

namespace backplane::images {

std::uint64_t total(Segments segments) {
    std::uint64_t length = 0;
    for (const iovec& segment : segments)
        length += segment.iov_len;
    return length;
}

void fill_with_zeroes(Segments segments) {
    for (const iovec& segment : segments)
        if (segment.iov_len != 0) std::memset(segment.iov_base, 0, segment.iov_len);
}

void scatter(std::span<const std::byte> from, Segments to) {
    for (const iovec& segment : to) {
        if (segment.iov_len == 0) continue;
        std::memcpy(segment.iov_base, from.data(), segment.iov_len);
        from = from.subspan(segment.iov_len);
    }
}

void gather(Segments from, std::span<std::byte> to) {
    for (const iovec& segment : from) {
        if (segment.iov_len == 0) continue;
        std::memcpy(to.data(), segment.iov_base, segment.iov_len);
        to = to.subspan(segment.iov_len);
    }
}

Segments SegmentCursor::take(std::uint64_t length) {
    taken_.clear();
    while (length != 0) {
        const iovec& first = rest_.front();
        const auto part = std::min<std::uint64_t>(length, first.iov_len - used_);
        if (part != 0) taken_.push_back({static_cast<std::byte*>(first.iov_base) + used_, part});
        used_ += part;
        length -= part;
        if (used_ == first.iov_len) {
            rest_ = rest_.subspan(1);
            used_ = 0;
        }
    }
    return taken_;
}

}  // namespace backplane::images
