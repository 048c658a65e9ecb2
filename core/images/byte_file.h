// A file that holds an image: bytes in a row, as many as were written. Functions give 0, or the
// errno of what went wrong.
#pragma once

#include "images/image_storage.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::images {

class ByteFile {
public:
    virtual ~ByteFile() = default;

    virtual std::uint64_t size() const = 0;
    virtual bool is_read_only() const = 0;
    virtual bool can_discard() const = 0;

    // Writing is copying: the disk is left to the host, for later.
    virtual bool keeps_writes() const { return true; }

    // [any] What lies past the end reads as zeroes. Waiting::No: EAGAIN unless the data is at hand.
    virtual int read(std::uint64_t offset, Segments segments, Waiting waiting) = 0;
    // [any] Past the end, the file grows; a gap reads as zeroes.
    virtual int write(std::uint64_t offset, Segments segments, Durability durability) = 0;
    // [any] False: that cannot be left to the caller, now or at all. A write is Cached.
    virtual bool begin_read(std::uint64_t, Segments, FileTask&) { return false; }
    virtual bool begin_write(std::uint64_t, Segments, FileTask&) { return false; }
    // [any] What was written before it is on stable storage. Fails for good once it has failed.
    virtual int flush() = 0;
    // [any] A hint; the range may read as anything afterwards.
    virtual int discard(std::uint64_t offset, std::uint64_t length) = 0;
    virtual int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) = 0;
    virtual int resize(std::uint64_t size) = 0;
    // How many bytes from `offset`, at most `length`, are a hole, or are not one.
    virtual int extent(std::uint64_t, std::uint64_t length, Extent& extent) {
        extent = {.length = length};
        return 0;
    }

    int read_bytes(std::uint64_t offset, std::span<std::byte> bytes,
                   Waiting waiting = Waiting::Yes) {
        return read(offset, Segment{bytes}, waiting);
    }
    int write_bytes(std::uint64_t offset, std::span<const std::byte> bytes) {
        return write(offset, Segment{bytes}, Durability::Cached);
    }
};

}  // namespace backplane::images
