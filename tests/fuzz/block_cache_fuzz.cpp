// The bytes are what several readers and writers do to an image through a block cache, and in which
// order what they began moves its bytes and is finished, and what was to be read ahead is read.
// Whoever reads a sector gets what was last written before he began, or what somebody wrote while
// he read; and in the end the cache has what the image has.
#include "images/block_cache.h"
#include "input.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <span>
#include <vector>

namespace {

using namespace backplane::images;
using backplane::testing::Input;

constexpr std::uint64_t sector = 512, sectors = 96, size = sectors * sector;

// Leaves all that can be left to the caller.
class Image final : public ImageStorage {
public:
    std::uint64_t size() const override { return ::size; }
    bool is_read_only() const override { return false; }
    bool can_discard() const override { return true; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override {
        if (waiting == Waiting::No && (fails & 1) != 0) return EAGAIN;
        scatter(std::span{bytes}.subspan(offset, total(segments)), segments);
        return (fails & 2) != 0 ? EIO : 0;
    }
    int write(std::uint64_t offset, Segments segments, Durability) override {
        gather(segments, std::span{bytes}.subspan(offset, total(segments)));
        return 0;
    }
    int try_write(std::uint64_t offset, Segments segments) override {
        if ((fails & 1) != 0) return EAGAIN;
        return write(offset, segments, Durability::Cached);
    }
    bool begin_read(std::uint64_t offset, Segments segments, FileTask& task) override {
        return begin_write(offset, segments, task);
    }
    bool begin_write(std::uint64_t offset, Segments segments, FileTask& task) override {
        if ((fails & 4) != 0) return false;
        task = {.offset = offset, .segments = {segments.begin(), segments.end()}};
        return true;
    }
    int flush() override { return 0; }
    int discard(std::uint64_t, std::uint64_t) override { return 0; }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool) override {
        std::ranges::fill(std::span{bytes}.subspan(offset, length), std::byte{0});
        return 0;
    }
    int resize(std::uint64_t) override { return EINVAL; }
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override {
        const bool is_packed = offset / packed_size % 2 == 0;
        extent = {.length = std::min(length, packed_size - offset % packed_size),
                  .is_packed = is_packed};
        return 0;
    }

    std::vector<std::byte> bytes = std::vector<std::byte>(::size);
    std::uint64_t packed_size = 8192;
    unsigned fails = 0;
};

// Who wrote a sector, and when.
struct Written {
    std::uint32_t stamp;
    unsigned begun, ended;  // ended: ~0 while it goes on
};

class Play {
public:
    explicit Play(Input& input) : input_{input} {
        auto image = std::make_unique<Image>();
        image_ = image.get();
        const std::uint8_t how = input.take8();
        BlockCacheOptions options{.contents = how & 1 ? CacheContents::PackedPieces
                                                      : CacheContents::Everything,
                                  .block_size = std::uint64_t{1024} << (how >> 1 & 3),
                                  .packed_size = how & 8 ? image->packed_size : 0,
                                  .capacity = std::uint64_t{4096} << (how >> 4 & 3),
                                  .ahead = std::uint64_t{2048} << (how >> 6 & 3)};
        options.run_later = [this](std::function<void()> work) {
            later_.push_back(std::move(work));
        };
        cache_ = std::make_unique<BlockCache>(std::move(image), std::move(options), counters_);
        for (auto& history : history_)
            history.push_back({0, 0, 0});
    }

    void run() {
        while (!input_.is_empty())
            step();
        image_->fails = 0;
        while (!tasks_.empty())
            finish(0);
        if (input_.take8() == 0) run_later(later_.size());
        std::vector<std::byte> data(size);
        if (cache_->read(0, Segment{data}, Waiting::Yes) != 0 || data != image_->bytes)
            fail("the cache and the image differ", 0);
        if (cache_->close() != 0) std::abort();
        cache_.reset();
        run_later(later_.size());
        if (counters_.bytes != 0) fail("bytes are left", 0);
        if (counters_.ahead_used + counters_.ahead_wasted > counters_.ahead_issued)
            fail("more was used than was read ahead", 0);
    }

private:
    struct Task {
        bool is_write = false, has_moved = false;
        std::uint64_t first = 0, count = 0;
        std::uint32_t stamp = 0;
        unsigned begun = 0;
        std::vector<std::byte> data;
        FileTask task;
    };

    void step() {
        const std::uint8_t what = input_.take8();
        const std::uint64_t first = input_.take8() % sectors;
        const std::uint64_t count = std::min<std::uint64_t>(sectors - first,
                                                            1 + (what >> 4) * (what >> 4) / 8);
        ++now_;
        switch (what & 15) {
        case 0: image_->fails = static_cast<unsigned>(first & 7); break;
        case 1:
        case 2: read(first, count, Waiting::Yes); break;
        case 3: read(first, count, Waiting::No); break;
        case 4: write(first, count, false); break;
        case 5: write(first, count, true); break;
        case 6: zero(first, count); break;
        case 7:
        case 8: begin(first, count, false); break;
        case 9: begin(first, count, true); break;
        case 10:
        case 11:
            if (!tasks_.empty()) move(tasks_[first % tasks_.size()]);
            break;
        case 12:
        case 13:
            if (!tasks_.empty()) finish(first % tasks_.size());
            break;
        default: run_later(1 + first % 2);
        }
    }

    void read(std::uint64_t first, std::uint64_t count, Waiting waiting) {
        // Who waits for a read that only this thread can finish waits for ever.
        if (waiting == Waiting::Yes)
            while (!tasks_.empty())
                finish(0);
        std::vector<std::byte> data(count * sector);
        const int error = cache_->read(first * sector, Segment{data}, waiting);
        if (error == 0) expect(first, count, data, now_);
        if (error != 0 && image_->fails == 0 && waiting == Waiting::Yes)
            fail("a read failed", first);
    }

    std::vector<std::byte> stamped(std::uint64_t count) {
        std::vector<std::byte> data(count * sector);
        ++stamp_;
        for (std::uint64_t at = 0; at < count; ++at)
            std::memcpy(&data[at * sector], &stamp_, sizeof stamp_);
        return data;
    }
    void has_begun(std::uint64_t first, std::uint64_t count, std::uint32_t stamp) {
        for (std::uint64_t at = first; at < first + count; ++at)
            history_[at].push_back({stamp, now_, ~0u});
    }
    void has_ended(std::uint64_t first, std::uint64_t count, std::uint32_t stamp) {
        for (std::uint64_t at = first; at < first + count; ++at)
            for (Written& each : history_[at])
                if (each.stamp == stamp && each.ended == ~0u) each.ended = now_;
    }

    void write(std::uint64_t first, std::uint64_t count, bool tries) {
        const auto data = stamped(count);
        has_begun(first, count, stamp_);
        int error = tries ? cache_->try_write(first * sector, Segment{data}) : EAGAIN;
        if (error == EAGAIN)
            error = cache_->write(first * sector, Segment{data}, Durability::Cached);
        if (error != 0) fail("a write failed", first);
        has_ended(first, count, stamp_);
    }
    void zero(std::uint64_t first, std::uint64_t count) {
        has_begun(first, count, 0);
        if (cache_->write_zeroes(first * sector, count * sector, true) != 0) std::abort();
        has_ended(first, count, 0);
    }

    void begin(std::uint64_t first, std::uint64_t count, bool is_write) {
        if (tasks_.size() == 8) return;
        Task task;
        task.is_write = is_write, task.first = first, task.count = count, task.begun = now_;
        task.data = is_write ? stamped(count) : std::vector<std::byte>(count * sector);
        task.stamp = stamp_;
        const Segment segment{task.data};
        const bool has_started = is_write ? cache_->begin_write(first * sector, segment, task.task)
                                          : cache_->begin_read(first * sector, segment, task.task);
        if (!has_started) return;
        if (is_write) has_begun(first, count, stamp_);
        tasks_.push_back(std::move(task));
    }
    void move(Task& task) {
        if (std::exchange(task.has_moved, true)) return;
        const auto place = std::span{image_->bytes}.subspan(task.task.offset,
                                                            total(task.task.segments));
        task.is_write ? gather(task.task.segments, place) : scatter(place, task.task.segments);
    }
    void finish(std::size_t index) {
        Task task = std::move(tasks_[index]);
        tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(index));
        const bool fails = (image_->fails & 2) != 0 && !task.has_moved;
        if (!fails) move(task);
        int error = fails ? EIO : 0;
        if (task.task.finish) error = task.task.finish(error);
        if (task.is_write) {
            // In the ordinary way, as it was not done in this one.
            if (error != 0 &&
                cache_->write(task.first * sector, Segment{task.data}, Durability::Cached) != 0)
                std::abort();
            has_ended(task.first, task.count, task.stamp);
        } else if (error == 0) {
            expect(task.first, task.count, task.data, task.begun);
        }
    }

    void run_later(std::size_t count) {
        while (count-- != 0 && !later_.empty()) {
            const auto work = std::move(later_.front());
            later_.pop_front();
            work();
        }
    }

    void expect(std::uint64_t first, std::uint64_t count, std::span<const std::byte> data,
                unsigned begun) const {
        for (std::uint64_t at = 0; at < count; ++at) {
            std::uint32_t stamp = 0;
            std::memcpy(&stamp, &data[at * sector], sizeof stamp);
            const auto& history = history_[first + at];
            const bool is_possible = std::ranges::any_of(history, [&](const Written& each) {
                return each.stamp == stamp &&
                       std::ranges::none_of(history, [&](const Written& later) {
                           return later.begun > each.ended && later.ended < begun;
                       });
            });
            if (!is_possible) fail("read what is no longer true", first + at);
        }
    }

    [[noreturn]] static void fail(const char* what, std::uint64_t at) {
        std::fprintf(stderr, "sector %llu: %s\n", static_cast<unsigned long long>(at), what);
        std::abort();
    }

    Input& input_;
    Image* image_ = nullptr;
    BlockCacheCounters counters_;
    std::deque<std::function<void()>> later_;
    std::unique_ptr<BlockCache> cache_;
    std::vector<Task> tasks_;
    std::array<std::vector<Written>, sectors> history_;
    std::uint32_t stamp_ = 0;
    unsigned now_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t length) {
    Input input{std::span{data, std::min<std::size_t>(length, 2000)}};
    Play{input}.run();
    return 0;
}
