#include "images/mapped_storage.h"

#include "images/zero_data.h"

#include <algorithm>
#include <cerrno>

namespace backplane::images {

int MappedStorage::read(std::uint64_t offset, Segments segments, Waiting waiting) {
    std::shared_lock lock{mutex_, std::defer_lock};
    if (waiting == Waiting::Yes)
        lock.lock();
    else if (!lock.try_lock())
        return EAGAIN;
    return read_mapped(offset, segments, waiting);
}

int MappedStorage::read_mapped(std::uint64_t offset, Segments segments, Waiting waiting) {
    SegmentCursor cursor{segments};
    for (std::uint64_t left = total(segments); left != 0;) {
        Mapping mapping;
        if (const int error = map(offset, left, waiting, mapping); error != 0) return error;
        const Segments part = cursor.take(mapping.length);
        int error = 0;
        switch (mapping.place) {
        case Mapping::Place::Below: error = read_below(offset, part, waiting); break;
        case Mapping::Place::Zero: fill_with_zeroes(part); break;
        case Mapping::Place::File: error = file_->read(mapping.file_offset, part, waiting); break;
        case Mapping::Place::Packed: error = read_packed(mapping, part, waiting); break;
        }
        if (error != 0) return error;
        offset += mapping.length;
        left -= mapping.length;
    }
    return 0;
}

int MappedStorage::read_below(std::uint64_t offset, Segments segments, Waiting waiting) {
    const std::uint64_t length = total(segments), size = below_ ? below_->size() : 0;
    const std::uint64_t there = offset < size ? std::min(length, size - offset) : 0;
    if (there == length) return below_->read(offset, segments, waiting);
    SegmentCursor cursor{segments};
    if (there != 0)
        if (const int error = below_->read(offset, cursor.take(there), waiting); error != 0)
            return error;
    fill_with_zeroes(cursor.take(length - there));
    return 0;
}

int MappedStorage::read_packed(const Mapping& mapping, Segments segments, Waiting waiting) {
    const auto copy = [&](std::span<const std::byte> piece) {
        if (mapping.skipped + mapping.length > piece.size()) return EUCLEAN;
        scatter(piece.subspan(mapping.skipped, mapping.length), segments);
        return 0;
    };
    {
        std::unique_lock lock{unpacked_mutex_, std::defer_lock};
        if (waiting == Waiting::Yes)
            lock.lock();
        else if (!lock.try_lock())
            return EAGAIN;
        if (unpacked_from_ == mapping.file_offset) return copy(unpacked_);
        if (waiting == Waiting::No) return EAGAIN;
    }
    // Several readers may be at this at once, for different pieces.
    std::vector<std::byte> piece;
    if (const int error = unpack(mapping, piece); error != 0) return error;
    const int error = copy(piece);
    const std::lock_guard lock{unpacked_mutex_};
    unpacked_ = std::move(piece);
    unpacked_from_ = mapping.file_offset;
    return error;
}

void MappedStorage::forget_unpacked() {
    const std::lock_guard lock{unpacked_mutex_};
    unpacked_from_ = 0;
}

int MappedStorage::write(std::uint64_t offset, Segments segments, Durability durability) {
    SegmentCursor cursor{segments};
    for (std::uint64_t left = total(segments); left != 0;) {
        std::uint64_t length = left;
        if (const int error = write_some(offset, cursor, length); error != 0) return error;
        offset += length;
        left -= length;
    }
    return durability == Durability::Stable ? commit() : commit_if_due();
}

int MappedStorage::commit_if_due() {
    {
        const std::shared_lock lock{mutex_};
        if (!is_commit_due()) return 0;
    }
    return commit();
}

int MappedStorage::write_some(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) {
    {
        const std::shared_lock lock{mutex_};
        Mapping mapping;
        if (const int error = map(offset, length, Waiting::Yes, mapping); error != 0) return error;
        if (mapping.place == Mapping::Place::File && mapping.is_writable) {
            length = mapping.length;
            return file_->write(mapping.file_offset, cursor.take(length), Durability::Cached);
        }
    }
    const std::unique_lock lock{mutex_};
    return write_new(offset, cursor, length);
}

int MappedStorage::try_write(std::uint64_t offset, Segments segments) {
    if (!file_->keeps_writes()) return EAGAIN;
    SegmentCursor cursor{segments};
    for (std::uint64_t left = total(segments); left != 0;) {
        std::uint64_t length = left;
        if (const int error = try_write_some(offset, cursor, length); error != 0) return error;
        offset += length;
        left -= length;
    }
    return 0;
}

int MappedStorage::try_write_some(std::uint64_t offset, SegmentCursor& cursor,
                                  std::uint64_t& length) {
    Mapping mapping;
    {
        const std::shared_lock lock{mutex_, std::try_to_lock};
        if (!lock) return EAGAIN;
        if (const int error = map(offset, length, Waiting::No, mapping); error != 0) return error;
        if (mapping.place == Mapping::Place::File && mapping.is_writable) {
            length = mapping.length;
            return file_->write(mapping.file_offset, cursor.take(length), Durability::Cached);
        }
    }
    // Someone else may come in between: write_new looks again.
    const std::unique_lock lock{mutex_, std::try_to_lock};
    const bool was_empty = mapping.place == Mapping::Place::Below ||
                           mapping.place == Mapping::Place::Zero;
    if (!lock || !was_empty || is_commit_due() || !is_new_simple(offset)) return EAGAIN;
    return write_new(offset, cursor, length);
}

// Should the piece be moved meanwhile, which only who writes to it at the same time can bring
// about, what is read is anything; so writing is not begun like this.
bool MappedStorage::begin_read(std::uint64_t offset, Segments segments, FileTask& task) {
    const std::shared_lock lock{mutex_, std::try_to_lock};
    Mapping mapping;
    const std::uint64_t length = total(segments);
    if (!lock || map(offset, length, Waiting::No, mapping) != 0 || mapping.length < length)
        return false;
    if (mapping.place == Mapping::Place::File)
        return file_->begin_read(mapping.file_offset, segments, task);
    const std::uint64_t below = below_ ? below_->size() : 0;
    return mapping.place == Mapping::Place::Below && offset + length <= below &&
           below_->begin_read(offset, segments, task);
}

int MappedStorage::write_needed_zeroes(std::uint64_t offset, std::uint64_t length) {
    while (length != 0) {
        Extent extent;
        if (const int error = MappedStorage::extent(offset, length, extent); error != 0)
            return error;
        if (!extent.is_zero)
            if (const int error = write_zero_data(*this, offset, extent.length); error != 0)
                return error;
        offset += extent.length;
        length -= extent.length;
    }
    return 0;
}

int MappedStorage::extent(std::uint64_t offset, std::uint64_t length, Extent& extent) {
    Mapping mapping;
    {
        const std::shared_lock lock{mutex_};
        if (const int error = map(offset, length, Waiting::Yes, mapping); error != 0) return error;
    }
    extent = {.length = mapping.length,
              .is_zero = mapping.place == Mapping::Place::Zero,
              .is_own = mapping.place != Mapping::Place::Below,
              .is_packed = mapping.place == Mapping::Place::Packed};
    if (extent.is_own) return 0;
    const std::uint64_t size = below_ ? below_->size() : 0;
    if (offset < size) {
        const int error = below_->extent(offset, std::min(mapping.length, size - offset), extent);
        extent.is_own = false;
        return error;
    }
    extent.is_zero = true;
    return 0;
}

}  // namespace backplane::images
