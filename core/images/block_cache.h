// Blocks of an image that were read lately, and those that are likely to be read next, in memory.
//
// For what is expensive to read: compressed pieces, and files that are read past the host's memory.
// Everything else the host keeps better. Who reads gets what is here; else what somebody else is
// reading already, when that is there; else it is read. What was read is kept, and the blocks that
// follow are read ahead. Writes go to the image at once, and to the blocks that are here: when to
// flush is the image's matter as without a cache.
#pragma once

#include "images/aligned_buffer.h"
#include "images/image_storage.h"
#include "images/lru_map.h"

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

namespace backplane::images {

enum class CacheContents : bool { Everything, PackedPieces };

struct BlockCacheOptions {
    CacheContents contents = CacheContents::Everything;
    std::uint64_t block_size = 4096;
    std::uint64_t packed_size = 0;  // what is unpacked at once; 0: nothing is packed
    std::uint64_t capacity = 32 << 20;
    std::uint64_t ahead = 128 << 10;  // bytes
    unsigned most_ahead_at_once = 2;  // reads
    // Runs it on another thread, soon. Empty: nothing is read ahead.
    std::function<void(std::function<void()>)> run_later = {};
};

// Of blocks; a request that takes a part of one counts for one.
struct BlockCacheCounters {
    std::atomic<std::uint64_t> hits = 0;    // were there
    std::atomic<std::uint64_t> shared = 0;  // somebody was reading them
    std::atomic<std::uint64_t> misses = 0;  // were read
    std::atomic<std::uint64_t> ahead_issued = 0, ahead_used = 0, ahead_wasted = 0;
    std::atomic<std::uint64_t> bytes = 0;  // in memory
};

class BlockCache final : public ImageStorage {
public:
    // The counters live longer.
    BlockCache(std::unique_ptr<ImageStorage> storage, BlockCacheOptions options,
               BlockCacheCounters& counters);
    ~BlockCache() override;

    std::uint64_t size() const override { return storage_->size(); }
    bool is_read_only() const override { return storage_->is_read_only(); }
    bool can_discard() const override { return storage_->can_discard(); }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override;
    int write(std::uint64_t offset, Segments segments, Durability durability) override;
    int try_write(std::uint64_t offset, Segments segments) override;
    bool begin_read(std::uint64_t offset, Segments segments, FileTask& task) override;
    bool begin_write(std::uint64_t offset, Segments segments, FileTask& task) override;
    int flush() override { return storage_->flush(); }
    int discard(std::uint64_t offset, std::uint64_t length) override;
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool may_discard) override;
    int resize(std::uint64_t size) override;
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override {
        return storage_->extent(offset, length, extent);
    }
    int close() override;

private:
    struct Block {
        AlignedBuffer bytes;
        bool is_unused_ahead = false;  // read ahead, and nobody wanted it yet
        bool has_led = false;          // to reading ahead, which happens once
    };
    // Neighbouring blocks that are being read.
    struct Fill {
        enum class State : std::uint8_t { Queued, Running, GivenUp };

        std::uint64_t first = 0, count = 0;
        bool is_ahead = false;
        std::vector<AlignedBuffer> buffers = {};
        std::atomic<State> state = State::Running;
        // [mutex_]
        bool is_stale = false;  // somebody wrote meanwhile
        bool is_done = false;

        // Whoever gets true does what is said, nobody else.
        bool claim(State next) {
            State queued = State::Queued;
            return state.compare_exchange_strong(queued, next);
        }
    };
    using FillPointer = std::shared_ptr<Fill>;
    // A change that is being made.
    struct Change {
        std::uint64_t first, last;
        bool meets_another = false;
    };
    // What becomes of one request.
    struct Tally {
        std::uint64_t end;  // of the request
        std::uint64_t hits = 0, shared = 0, misses = 0;
        bool has_begun = false, is_sequential = false;
    };

    std::uint64_t index_of(std::uint64_t offset) const { return offset / options_.block_size; }
    std::uint64_t block_end(std::uint64_t offset) const {
        return (index_of(offset) + 1) * options_.block_size;
    }

    int read_some(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length,
                  Waiting waiting, Tally& tally);
    int read_missing(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length,
                     bool is_packed, Tally& tally);
    std::vector<iovec> prepare(Fill& fill) const;
    int read_fill(Fill& fill);
    void copy_fill(const Fill& fill, std::uint64_t offset, SegmentCursor& cursor,
                   std::uint64_t length) const;
    int end_read(Fill& fill, std::uint64_t offset, Segments segments, int error);
    void read_ahead_now(Fill& fill);

    // [mutex_]
    bool copy_block(std::uint64_t offset, SegmentCursor& cursor, std::uint64_t& length);
    bool is_here(std::uint64_t index) const {
        return blocks_.contains(index) || fills_.contains(index);
    }
    FillPointer start_fill(std::uint64_t first, std::uint64_t count, Fill::State state);
    void finish_fill(Fill& fill, int error);
    void forget_fill(const Fill& fill);
    bool goes_on(std::uint64_t offset, std::uint64_t end);
    void read_ahead(std::uint64_t index, bool is_sequential);
    void make_room();
    void was_ahead(bool was_useful);

    void begin_change(Change& change);
    template <class Operation>
    int change(std::uint64_t offset, std::uint64_t length, const Segments* data,
               Operation operation);
    void end_change(const Change& change, std::uint64_t offset, const Segments* data);
    void quiesce();

    const std::unique_ptr<ImageStorage> storage_;
    const BlockCacheOptions options_;
    const std::uint64_t ahead_, ahead_step_;  // blocks; how many are worth a read of their own
    BlockCacheCounters& counters_;

    std::mutex mutex_;  // guards what follows
    std::condition_variable some_done_;
    LruMap<Block> blocks_;
    std::unordered_map<std::uint64_t, FillPointer> fills_;  // by each of their blocks
    std::vector<Change*> changes_;
    unsigned fills_ahead_ = 0;
    std::array<std::uint64_t, 8> streams_{};  // where reads ended
    std::size_t next_stream_ = 0;
    unsigned credit_ = 4;  // of reading ahead of what is no stream; each use of what it got is one
};

}  // namespace backplane::images
