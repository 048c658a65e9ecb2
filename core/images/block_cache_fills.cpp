// How blocks come into the cache and leave it: what is asked for, and what is read ahead.
#include "images/block_cache.h"

#include <algorithm>

namespace backplane::images {

namespace {

constexpr unsigned most_credit = 16;

std::uint64_t divide_up(std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; }

}  // namespace

BlockCache::BlockCache(std::unique_ptr<ImageStorage> storage, BlockCacheOptions options,
                       BlockCacheCounters& counters)
    : storage_{std::move(storage)}, options_{std::move(options)},
      ahead_{options_.run_later ? divide_up(options_.ahead, options_.block_size) : 0},
      // Several threads can unpack a piece each; a disk likes long reads.
      ahead_step_{options_.contents == CacheContents::PackedPieces
                      ? 1
                      : std::max<std::uint64_t>(ahead_ / 2, 1)},
      counters_{counters} {}

BlockCache::~BlockCache() {
    quiesce();
    counters_.bytes = 0;
}

// Nothing is being read ahead afterwards.
void BlockCache::quiesce() {
    std::unique_lock lock{mutex_};
    std::vector<FillPointer> queued;
    for (const auto& [index, fill] : fills_)
        if (fill->claim(Fill::State::GivenUp)) queued.push_back(fill);
    for (const FillPointer& fill : queued)
        forget_fill(*fill);
    some_done_.wait(lock, [this] { return fills_.empty(); });
}

BlockCache::FillPointer BlockCache::start_fill(std::uint64_t first, std::uint64_t count,
                                               Fill::State state) {
    const auto fill = std::make_shared<Fill>();
    fill->first = first, fill->count = count, fill->state = state;
    fill->is_ahead = state == Fill::State::Queued;
    if (fill->is_ahead) ++fills_ahead_;
    for (std::uint64_t index = first; index < first + count; ++index)
        fills_.emplace(index, fill);
    return fill;
}

void BlockCache::forget_fill(const Fill& fill) {
    for (std::uint64_t index = fill.first; index < fill.first + fill.count; ++index)
        fills_.erase(index);
    if (fill.is_ahead) --fills_ahead_;
}

// Room for what it reads.
std::vector<iovec> BlockCache::prepare(Fill& fill) const {
    std::uint64_t left = storage_->size() - fill.first * options_.block_size;
    std::vector<iovec> segments;
    for (std::uint64_t at = 0; at < fill.count; ++at) {
        AlignedBuffer& buffer = fill.buffers.emplace_back(options_.block_size);
        const auto part = buffer.bytes().first(std::min(left, options_.block_size));
        segments.push_back({part.data(), part.size()});
        left -= part.size();
    }
    return segments;
}

int BlockCache::read_fill(Fill& fill) {
    return storage_->read(fill.first * options_.block_size, prepare(fill), Waiting::Yes);
}

void BlockCache::copy_fill(const Fill& fill, std::uint64_t offset, SegmentCursor& cursor,
                           std::uint64_t length) const {
    for (const std::uint64_t end = offset + length; offset != end;) {
        const std::uint64_t part = std::min(end, block_end(offset)) - offset;
        const AlignedBuffer& from = fill.buffers[index_of(offset) - fill.first];
        scatter(from.bytes().subspan(offset % options_.block_size, part), cursor.take(part));
        offset += part;
    }
}

void BlockCache::finish_fill(Fill& fill, int error) {
    forget_fill(fill);
    fill.is_done = true;
    const bool is_kept = error == 0 && !fill.is_stale;
    for (std::uint64_t at = 0; at < fill.buffers.size(); ++at) {
        if (!is_kept) {
            if (fill.is_ahead) was_ahead(false);
            continue;
        }
        make_room();
        blocks_.add(fill.first + at,
                    {.bytes = std::move(fill.buffers[at]), .is_unused_ahead = fill.is_ahead});
    }
    counters_.bytes = blocks_.size() * options_.block_size;
    some_done_.notify_all();
}

void BlockCache::make_room() {
    const std::uint64_t most = std::max<std::uint64_t>(options_.capacity / options_.block_size, 1);
    while (blocks_.size() >= most)
        blocks_.remove_oldest([&](const Block& block) {
            if (block.is_unused_ahead) was_ahead(false);
        });
}

void BlockCache::was_ahead(bool was_useful) {
    ++(was_useful ? counters_.ahead_used : counters_.ahead_wasted);
    if (was_useful) credit_ = std::min(credit_ + 1, most_credit);
}

// Whether it begins where one of the latest reads ended. It may ask twice: who could not wait comes
// back on a thread.
bool BlockCache::goes_on(std::uint64_t offset, std::uint64_t end) {
    const auto stream = std::ranges::find_if(
        streams_, [&](std::uint64_t last) { return last == offset || last == end; });
    const bool found = stream != streams_.end();
    if (found) {
        *stream = end;
    } else {
        streams_[next_stream_] = end;
        next_stream_ = (next_stream_ + 1) % streams_.size();
    }
    return found;
}

// After block `index` was read. What does not go on is followed as long as that is of use.
void BlockCache::read_ahead(std::uint64_t index, bool is_sequential) {
    if (ahead_ == 0 || fills_ahead_ >= options_.most_ahead_at_once) return;
    if (!is_sequential && credit_ == 0) return;
    const std::uint64_t last = std::min(index + ahead_, index_of(storage_->size() - 1));
    // Most of it is here already.
    if (last - index >= ahead_step_ && is_here(last - ahead_step_ + 1)) return;
    Block* leader = blocks_.find(index);
    if (leader != nullptr && leader->has_led) return;
    std::uint64_t first = index + 1;
    while (first <= last && is_here(first))
        ++first;
    if (first > last) return;
    if (!is_sequential) --credit_;
    std::uint64_t end = first + 1;
    while (end <= last && !is_here(end))
        ++end;
    if (leader != nullptr) leader->has_led = true;
    const FillPointer fill = start_fill(first, end - first, Fill::State::Queued);
    options_.run_later([this, fill] {
        // Else the cache may be gone.
        if (fill->claim(Fill::State::Running)) read_ahead_now(*fill);
    });
}

void BlockCache::read_ahead_now(Fill& fill) {
    Extent extent;
    bool is_wanted = true;
    if (options_.contents == CacheContents::PackedPieces) {
        const std::uint64_t start = fill.first * options_.block_size;
        is_wanted = storage_->extent(start, storage_->size() - start, extent) == 0 &&
                    extent.is_packed;
    }
    int error = 0;
    if (is_wanted) {
        counters_.ahead_issued += fill.count;
        error = read_fill(fill);
    }
    const std::lock_guard lock{mutex_};
    finish_fill(fill, error);
}

}  // namespace backplane::images
