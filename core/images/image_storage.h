// The bytes of a disk as the I/O threads work on them, whatever format they are kept in. Functions
// give 0, or the errno of what went wrong.
#pragma once

#include "images/file_task.h"
#include "images/segments.h"

#include <cerrno>
#include <cstdint>

namespace backplane::images {

enum class Waiting : bool { No, Yes };
enum class Durability : bool { Cached, Stable };

// What is known of a range without reading it.
struct Extent {
    std::uint64_t length = 0;
    bool is_zero = false;    // reads as zeroes
    bool is_own = true;      // kept in this image, not seen through to the one it is based on
    bool is_packed = false;  // compressed
};

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
    // [any] The same, Cached, where that is nearly sure not to wait for a disk. Else EAGAIN; some
    // of it may be written then.
    virtual int try_write(std::uint64_t, Segments) { return EAGAIN; }
    // [any] The same, where the caller can do it in a file himself; nobody waits for a disk here.
    // False: he cannot, now or at all. The segments stay until it is finished. A write is Cached.
    virtual bool begin_read(std::uint64_t, Segments, FileTask&) { return false; }
    virtual bool begin_write(std::uint64_t, Segments, FileTask&) { return false; }
    // What was written before it is on stable storage.
    virtual int flush() = 0;
    virtual int discard(std::uint64_t offset, std::uint64_t length) = 0;
    virtual int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) = 0;
    // Nobody else is using it. EINVAL: not to that size.
    virtual int resize(std::uint64_t size) = 0;

    // Says of how many bytes from `offset`, at most `length`, the same is known.
    virtual int extent(std::uint64_t, std::uint64_t length, Extent& extent) {
        extent = {.length = length};
        return 0;
    }
    // Makes the file as it should lie there when nobody uses it. Nothing follows but destruction,
    // which gives up what was not flushed.
    virtual int close() { return is_read_only() ? 0 : flush(); }
};

}  // namespace backplane::images
