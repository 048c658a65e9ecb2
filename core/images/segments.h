// Pieces of memory that one request fills or empties, in order.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace backplane::images {

using Segments = std::span<const iovec>;

std::uint64_t total(Segments segments);
void fill_with_zeroes(Segments segments);
// Both have the same length.
void scatter(std::span<const std::byte> from, Segments to);
void gather(Segments from, std::span<std::byte> to);

// A span as segments, for as long as this lives.
class Segment {
public:
    // Whoever writes what is in them does not change the bytes; whoever reads into them must have
    // given some that may be changed.
    explicit Segment(std::span<const std::byte> bytes)
        : segment_{const_cast<std::byte*>(bytes.data()), bytes.size()} {}
    operator Segments() const { return {&segment_, 1}; }

private:
    iovec segment_;
};

// Hands out a request's segments part by part.
class SegmentCursor {
public:
    explicit SegmentCursor(Segments all) : rest_{all} {}
    // The next `length` bytes, which must be there; valid until the next call.
    Segments take(std::uint64_t length);

private:
    Segments rest_;
    std::size_t used_ = 0;  // of the first of the rest
    std::vector<iovec> taken_;
};

}  // namespace backplane::images
