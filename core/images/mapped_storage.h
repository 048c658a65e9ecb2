// What images that keep a disk in pieces have in common. A format says where a piece lies in its
// file, and makes room for new ones; reading, writing in place, and seeing through to the image
// below are done here.
#pragma once

#include "images/byte_file.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <vector>

namespace backplane::images {

// Where a part of the disk is.
struct Mapping {
    enum class Place : std::uint8_t {
        Below,   // in the image that this one is based on; without one, it reads as zeroes
        Zero,    // reads as zeroes
        File,    // at file_offset
        Packed,  // compressed, at file_offset; `skipped` bytes of what is unpacked lie before it
    };

    Place place = Place::Below;
    bool is_writable = false;  // of File: may be overwritten in place
    std::uint64_t length = 0;
    std::uint64_t file_offset = 0;
    std::uint64_t packed_size = 0;  // of Packed: what may belong to it, at most
    std::uint64_t skipped = 0;
};

class MappedStorage : public ImageStorage {
public:
    // What parts that are not in this file are read from. Those past its end are zeroes.
    void set_below(std::unique_ptr<ImageStorage> below) { below_ = std::move(below); }
    ImageStorage* below() const { return below_.get(); }

    bool is_read_only() const override { return file_->is_read_only(); }
    bool can_discard() const override { return !is_read_only(); }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) final;
    int write(std::uint64_t offset, Segments segments, Durability durability) final;
    int try_write(std::uint64_t offset, Segments segments) final;
    bool begin_read(std::uint64_t offset, Segments segments, FileTask& task) final;
    int flush() final { return is_read_only() ? 0 : commit(); }
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) final;

    // The range is seen through to the image below again, where this one can do that.
    virtual int uncover(std::uint64_t, std::uint64_t) { return ENOTSUP; }

protected:
    explicit MappedStorage(std::unique_ptr<ByteFile> file) : file_{std::move(file)} {}

    // [mutex_ shared] Where the bytes from `offset` are, up to `length` of them.
    virtual int map(std::uint64_t offset, std::uint64_t length, Waiting waiting,
                    Mapping& mapping) = 0;
    // [any] What is packed there.
    virtual int unpack(const Mapping&, std::vector<std::byte>&) { return EIO; }
    // [mutex_] Writes the first of `length` bytes, where they are not writable in place; says how
    // many.
    virtual int write_new(std::uint64_t, SegmentCursor&, std::uint64_t&) { return EROFS; }
    // [mutex_] That writes no more than the bytes it is given, and some of tables in memory.
    virtual bool is_new_simple(std::uint64_t) const { return false; }
    // Makes everything stable, in an order that leaves the file sound at any moment.
    virtual int commit() { return 0; }
    // [mutex_ shared] Too much waits for that.
    virtual bool is_commit_due() const { return false; }
    int commit_if_due();

    // [mutex_ shared]
    int read_mapped(std::uint64_t offset, Segments segments, Waiting waiting);
    // By writing them where something else is.
    int write_needed_zeroes(std::uint64_t offset, std::uint64_t length);
    void forget_unpacked();

    const std::unique_ptr<ByteFile> file_;
    std::unique_ptr<ImageStorage> below_;
    // Whoever moves pieces holds it alone, whoever reads or writes in them shares it.
    std::shared_mutex mutex_;

private:
    int write_some(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length);
    int try_write_some(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length);
    int read_below(std::uint64_t offset, Segments segments, Waiting waiting);
    int read_packed(const Mapping& mapping, Segments segments, Waiting waiting);

    // The piece unpacked last: readers ask for it part by part.
    std::mutex unpacked_mutex_;
    std::uint64_t unpacked_from_ = 0;  // 0: none
    std::vector<std::byte> unpacked_;
};

}  // namespace backplane::images
