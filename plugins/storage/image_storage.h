// The bytes of an image as the I/O threads work on them. Functions give 0, or the errno of what
// went wrong.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <span>

namespace backplane::storage {

using Segments = std::span<const iovec>;

enum class Waiting : bool { No, Yes };
enum class Durability : bool { Cached, Stable };

class ImageStorage {
public:
    virtual ~ImageStorage() = default;

    // A multiple of 512.
    virtual std::uint64_t size() const = 0;
    virtual bool is_read_only() const = 0;
    virtual bool can_discard() const = 0;

    // [any] Ranges lie within the size. Waiting::No: EAGAIN unless the data is at hand.
    virtual int read(std::uint64_t offset, Segments segments, Waiting waiting) = 0;
    virtual int write(std::uint64_t offset, Segments segments, Durability durability) = 0;
    virtual int flush() = 0;
    virtual int discard(std::uint64_t offset, std::uint64_t length) = 0;
    virtual int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) = 0;
    // Nobody else is using it.
    virtual int resize(std::uint64_t size) = 0;
};

}  // namespace backplane::storage
