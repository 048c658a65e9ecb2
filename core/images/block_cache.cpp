#include "images/block_cache.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace backplane::images {

namespace {

constexpr std::uint64_t longest_fill = 1 << 20;

}  // namespace

int BlockCache::read(std::uint64_t offset, Segments segments, Waiting waiting) {
    SegmentCursor cursor{segments};
    std::uint64_t left = total(segments);
    Tally tally{.end = offset + left};
    while (left != 0) {
        std::uint64_t length = left;
        if (const int error = read_some(offset, cursor, length, waiting, tally); error != 0)
            return error;
        offset += length;
        left -= length;
    }
    counters_.hits += tally.hits;
    counters_.shared += tally.shared;
    counters_.misses += tally.misses;
    return 0;
}

// `length` becomes what was read.
int BlockCache::read_some(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length,
                          Waiting waiting, Tally& tally) {
    const std::uint64_t index = index_of(offset);
    {
        std::unique_lock lock{mutex_, std::defer_lock};
        if (waiting == Waiting::Yes)
            lock.lock();
        else if (!lock.try_lock())
            return EAGAIN;
        if (!std::exchange(tally.has_begun, true)) tally.is_sequential = goes_on(offset, tally.end);
        if (copy_block(offset, cursor, length)) {
            ++tally.hits;
            read_ahead(index, tally.is_sequential);
            return 0;
        }
        const std::uint64_t last = index_of(offset + length - 1);
        std::uint64_t end = index + 1;
        while (end <= last && !blocks_.contains(end))
            ++end;
        length = std::min({length, end * options_.block_size - offset, longest_fill});
    }
    const bool keeps_all = options_.contents == CacheContents::Everything;
    if (waiting == Waiting::No)
        return keeps_all ? EAGAIN : storage_->read(offset, cursor.take(length), Waiting::No);
    Extent extent{.length = length};
    if (options_.packed_size != 0) {
        if (const int error = storage_->extent(offset, length, extent); error != 0) return error;
        length = extent.length;
    }
    if (!keeps_all && !extent.is_packed)
        return storage_->read(offset, cursor.take(length), Waiting::Yes);
    return read_missing(offset, cursor, length, extent.is_packed, tally);
}

int BlockCache::read_missing(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length,
                             bool is_packed, Tally& tally) {
    std::unique_lock lock{mutex_};
    std::uint64_t first = index_of(offset), last = index_of(offset + length - 1);
    if (copy_block(offset, cursor, length)) {  // by now
        ++tally.hits;
        read_ahead(first, tally.is_sequential);
        return 0;
    }
    const auto pending = fills_.find(first);
    if (pending != fills_.end() && !pending->second->claim(Fill::State::GivenUp)) {
        const FillPointer fill = pending->second;
        const bool is_fresh = !fill->is_stale;
        if (is_fresh) {
            some_done_.wait(lock, [&] { return fill->is_done; });
        }
        length = std::min(length, block_end(offset) - offset);
        if (is_fresh && copy_block(offset, cursor, length)) {
            ++tally.shared;
            read_ahead(first, tally.is_sequential);
            return 0;
        }
        lock.unlock();
        ++tally.misses;
        return storage_->read(offset, cursor.take(length), Waiting::Yes);
    }
    // It was to be read ahead, but nobody has begun.
    if (pending != fills_.end()) forget_fill(*FillPointer{pending->second});
    if (is_packed && options_.packed_size > options_.block_size) {
        const std::uint64_t size = options_.packed_size, start = offset / size * size;
        const std::uint64_t end = std::min(start + size, storage_->size());
        while (first > index_of(start) && !is_here(first - 1))
            --first;
        last = std::max(last, index_of(end - 1));
    }
    std::uint64_t end = index_of(offset) + 1;
    while (end <= last && !is_here(end))
        ++end;
    length = std::min(length, end * options_.block_size - offset);
    const FillPointer fill = start_fill(first, end - first, Fill::State::Running);
    lock.unlock();

    const int error = read_fill(*fill);
    if (error == 0) copy_fill(*fill, offset, cursor, length);
    lock.lock();
    finish_fill(*fill, error);
    tally.misses += fill->count;
    if (error == 0) {
        read_ahead(end - 1, tally.is_sequential);
        return 0;
    }
    lock.unlock();
    // What failed may be a part of the block that nobody asked for.
    return storage_->read(offset, cursor.take(length), Waiting::Yes);
}

bool BlockCache::copy_block(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length) {
    Block* block = blocks_.use(index_of(offset));
    if (block == nullptr) return false;
    length = std::min(length, block_end(offset) - offset);
    scatter(block->bytes.bytes().subspan(offset % options_.block_size, length),
            cursor.take(length));
    if (std::exchange(block->is_unused_ahead, false)) was_ahead(true);
    return true;
}

void BlockCache::begin_change(Change& change) {
    const std::lock_guard lock{mutex_};
    for (Change* other : changes_)
        if (other->first <= change.last && change.first <= other->last)
            other->meets_another = change.meets_another = true;
    changes_.push_back(&change);
}

template <class Operation>
int BlockCache::change(std::uint64_t offset, std::uint64_t length, const Segments* data,
                       Operation operation) {
    if (length == 0) return operation();
    Change change{index_of(offset), index_of(offset + length - 1)};
    begin_change(change);
    const int error = operation();
    const std::lock_guard lock{mutex_};
    std::erase(changes_, &change);
    end_change(change, offset, error == 0 ? data : nullptr);
    return error;
}

// Whoever reads these blocks reads what was before, or what is now, or some of both. Of changes
// that met each other, which came last only the image knows.
void BlockCache::end_change(const Change& change, std::uint64_t offset, const Segments* data) {
    for (const auto& [index, fill] : fills_)
        if (index >= change.first && index <= change.last) fill->is_stale = true;
    if (data == nullptr || change.meets_another) {
        blocks_.filter(change.first, change.last, [&](std::uint64_t, const Block& block) {
            if (block.is_unused_ahead) was_ahead(false);
            return false;
        });
        counters_.bytes = blocks_.size() * options_.block_size;
        return;
    }
    SegmentCursor cursor{*data};
    const std::uint64_t end = offset + total(*data);
    for (std::uint64_t at = offset; at < end;) {
        const std::uint64_t part = std::min(end, block_end(at)) - at;
        const Segments from = cursor.take(part);
        if (Block* block = blocks_.find(index_of(at)))
            gather(from, block->bytes.bytes().subspan(at % options_.block_size, part));
        at += part;
    }
}

int BlockCache::write(std::uint64_t offset, Segments segments, Durability durability) {
    return change(offset, total(segments), &segments,
                  [&] { return storage_->write(offset, segments, durability); });
}

int BlockCache::try_write(std::uint64_t offset, Segments segments) {
    return change(offset, total(segments), &segments,
                  [&] { return storage_->try_write(offset, segments); });
}

bool BlockCache::begin_write(std::uint64_t offset, Segments segments, FileTask& task) {
    const std::uint64_t length = total(segments);
    if (length == 0 || !storage_->begin_write(offset, segments, task)) return false;
    const auto change = std::make_shared<Change>(index_of(offset), index_of(offset + length - 1));
    begin_change(*change);
    std::vector<iovec> data{segments.begin(), segments.end()};
    task.finish = [this, change, offset, data = std::move(data),
                   finish = std::move(task.finish)](int error) {
        if (finish) error = finish(error);
        const std::lock_guard lock{mutex_};
        std::erase(changes_, change.get());
        const Segments written{data};
        end_change(*change, offset, error == 0 ? &written : nullptr);
        return error;
    };
    return true;
}

// As long as it is one fill. Else who reads has to wait.
bool BlockCache::begin_read(std::uint64_t offset, Segments segments, FileTask& task) {
    const std::uint64_t length = total(segments);
    if (length == 0 || length > longest_fill || options_.packed_size != 0) return false;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    const std::uint64_t first = index_of(offset), last = index_of(offset + length - 1);
    for (std::uint64_t index = first; index <= last; ++index)
        if (is_here(index)) return false;
    const FillPointer fill = start_fill(first, last - first + 1, Fill::State::Running);
    if (!storage_->begin_read(first * options_.block_size, prepare(*fill), task)) {
        forget_fill(*fill);
        return false;
    }
    const bool is_sequential = goes_on(offset, offset + length);
    read_ahead(last, is_sequential);
    std::vector<iovec> to{segments.begin(), segments.end()};
    task.finish = [this, fill, offset, to = std::move(to),
                   finish = std::move(task.finish)](int error) {
        if (finish) error = finish(error);
        return end_read(*fill, offset, to, error);
    };
    return true;
}

int BlockCache::end_read(Fill& fill, std::uint64_t offset, Segments segments, int error) {
    if (error == 0) {
        SegmentCursor cursor{segments};
        copy_fill(fill, offset, cursor, total(segments));
        counters_.misses += fill.count;
    }
    const std::lock_guard lock{mutex_};
    finish_fill(fill, error);
    return error;
}

int BlockCache::discard(std::uint64_t offset, std::uint64_t length) {
    return change(offset, length, nullptr, [&] { return storage_->discard(offset, length); });
}

int BlockCache::write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) {
    return change(offset, length, nullptr,
                  [&] { return storage_->write_zeroes(offset, length, may_discard); });
}

int BlockCache::resize(std::uint64_t size) {
    quiesce();
    {
        const std::lock_guard lock{mutex_};
        end_change({.first = 0, .last = ~std::uint64_t{0} - 1}, 0, nullptr);
    }
    return storage_->resize(size);
}

int BlockCache::close() {
    quiesce();
    return storage_->close();
}

}  // namespace backplane::images
