// What the block cache keeps, reads ahead and shares, and that it never gives what is no longer
// true.
#include "formats.h"
#include "image_part.h"
#include "images/block_cache.h"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <gtest/gtest.h>

#include <chrono>
#include <deque>
#include <thread>

namespace backplane::images {
namespace {

using namespace testing;

constexpr std::uint64_t block = 4096, size = 4 << 20;

// Counts what is read of it, and holds it up when told to.
class Watched final : public ImageStorage {
public:
    std::uint64_t size() const override { return bytes.size(); }
    bool is_read_only() const override { return false; }
    bool can_discard() const override { return true; }
    int read(std::uint64_t offset, Segments segments, Waiting waiting) override {
        if (waiting == Waiting::No) return EAGAIN;
        const std::uint64_t length = total(segments);
        std::unique_lock lock{mutex};
        ++reads;
        last_read = {offset, length};
        if (bad_from < offset + length && bad_from >= offset) return EIO;
        const std::vector<std::byte> then(bytes.begin() + static_cast<std::ptrdiff_t>(offset),
                                          bytes.begin() +
                                              static_cast<std::ptrdiff_t>(offset + length));
        changed.notify_all();
        changed.wait(lock, [&] { return !is_held; });
        scatter(then, segments);
        return 0;
    }
    int write(std::uint64_t offset, Segments segments, Durability) override {
        const std::lock_guard lock{mutex};
        gather(segments, std::span{bytes}.subspan(offset, total(segments)));
        return 0;
    }
    int flush() override { return ++flushes, 0; }
    int discard(std::uint64_t offset, std::uint64_t length) override {
        return write_zeroes(offset, length, true);
    }
    int write_zeroes(std::uint64_t offset, std::uint64_t length, bool) override {
        const std::lock_guard lock{mutex};
        std::ranges::fill(std::span{bytes}.subspan(offset, length), std::byte{0});
        return 0;
    }
    int resize(std::uint64_t length) override { return bytes.resize(length), 0; }
    int extent(std::uint64_t offset, std::uint64_t length, Extent& extent) override {
        const bool is_packed = offset < packed_until;
        if (is_packed) length = std::min(length, packed_size - offset % packed_size);
        extent = {.length = length, .is_packed = is_packed};
        return 0;
    }

    void hold(bool held) {
        const std::lock_guard lock{mutex};
        is_held = held;
        changed.notify_all();
    }
    void wait_for_reads(int count) {
        std::unique_lock lock{mutex};
        changed.wait(lock, [&] { return reads >= count; });
    }

    std::vector<std::byte> bytes = std::vector<std::byte>(images::size);
    int reads = 0, flushes = 0;
    std::pair<std::uint64_t, std::uint64_t> last_read;
    std::uint64_t bad_from = ~std::uint64_t{0}, packed_until = 0, packed_size = 0;

private:
    std::mutex mutex;
    std::condition_variable changed;
    bool is_held = false;
};

class BlockCacheTest : public ::testing::Test {
protected:
    BlockCacheTest() {
        auto owned = std::make_unique<Watched>();
        storage = owned.get();
        for (std::uint64_t at = 0; at < size; at += 512)
            std::memcpy(&storage->bytes[at], &at, sizeof at);
        options.ahead = 0;
        options.run_later = [this](std::function<void()> work) {
            later.push_back(std::move(work));
        };
        storage_ = std::move(owned);
    }

    void start() { cache = std::make_unique<BlockCache>(std::move(storage_), options, counters); }

    // The image says where each sector lies.
    void expect_read(std::uint64_t offset, std::uint64_t length) {
        std::vector<std::byte> data(length);
        ASSERT_EQ(cache->read(offset, Segment{data}, Waiting::Yes), 0);
        EXPECT_TRUE(std::equal(data.begin(), data.end(),
                               storage->bytes.begin() + static_cast<std::ptrdiff_t>(offset)))
            << "at " << offset;
    }
    int read_now(std::uint64_t offset, std::uint64_t length) {
        std::vector<std::byte> data(length);
        return cache->read(offset, Segment{data}, Waiting::No);
    }
    void run_later() {
        while (!later.empty()) {
            const auto work = std::move(later.front());
            later.pop_front();
            work();
        }
    }

    BlockCacheCounters counters;
    BlockCacheOptions options;
    Watched* storage = nullptr;
    std::deque<std::function<void()>> later;
    std::unique_ptr<BlockCache> cache;

private:
    std::unique_ptr<ImageStorage> storage_;
};

TEST_F(BlockCacheTest, KeepsWhatWasRead) {
    start();
    EXPECT_EQ(read_now(512, 512), EAGAIN);
    expect_read(512, 512);
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{0, block}));
    expect_read(1024, 2048);
    EXPECT_EQ(read_now(0, block), 0);
    EXPECT_EQ(storage->reads, 1);
    expect_read(512, 3 * block);  // the first block is there
    EXPECT_EQ(storage->reads, 2);
    EXPECT_EQ(counters.hits, 3u);
    EXPECT_EQ(counters.misses, 4u);
    EXPECT_EQ(counters.bytes, 4 * block);
}

TEST_F(BlockCacheTest, ForgetsWhatWasUsedLongestAgo) {
    options.capacity = 4 * block;
    start();
    for (const std::uint64_t index : {0, 1, 2, 3, 0, 4})
        expect_read(index * block, block);
    EXPECT_EQ(counters.bytes, 4 * block);
    EXPECT_EQ(read_now(0, block), 0) << "used again";
    EXPECT_EQ(read_now(block, block), EAGAIN);
}

TEST_F(BlockCacheTest, ARequestLargerThanTheCacheIsRead) {
    options.capacity = 2 * block;
    start();
    expect_read(512, 3 << 20);
    EXPECT_EQ(counters.bytes, 2 * block);
}

TEST_F(BlockCacheTest, ReadsAheadAfterAReadAndAfterAHit) {
    options.ahead = 4 * block;
    start();
    expect_read(0, block);
    run_later();
    EXPECT_EQ(storage->reads, 2);
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{block, 4 * block}));
    EXPECT_EQ(counters.ahead_issued, 4u);
    EXPECT_EQ(read_now(block, 2 * block), 0);
    run_later();
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{5 * block, 2 * block}));
    expect_read(3 * block, 4 * block);
    EXPECT_EQ(storage->reads, 3) << "all was there";
    EXPECT_EQ(counters.ahead_used, 6u);
    EXPECT_EQ(counters.misses, 1u);
}

TEST_F(BlockCacheTest, TheEndOfTheDiskIsTheEndOfReadingAhead) {
    options.ahead = 4 * block;
    start();
    ASSERT_EQ(cache->resize(size - 512), 0);
    expect_read(size - 2 * block, block);
    run_later();
    EXPECT_EQ(storage->last_read,
              (std::pair<std::uint64_t, std::uint64_t>{size - block, block - 512}));
    EXPECT_EQ(read_now(size - block, block - 512), 0);
    EXPECT_TRUE(later.empty());
}

TEST_F(BlockCacheTest, WhatNobodyHasBegunToReadIsReadByWhoNeedsIt) {
    options.ahead = 4 * block;
    start();
    expect_read(0, block);
    expect_read(block, 2 * block);
    EXPECT_EQ(storage->reads, 2);
    run_later();
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{3 * block, 4 * block}));
    EXPECT_EQ(counters.ahead_issued, 4u) << "what was asked for first was given up";
}

TEST_F(BlockCacheTest, ReadingAheadInVainIsGivenUp) {
    options.ahead = 4 * block;
    options.capacity = 16 * block;
    start();
    std::mt19937_64 random{3};
    for (int count = 0; count < 400; ++count) {
        expect_read(random() % (size / block) * block, block);
        run_later();
    }
    EXPECT_GT(counters.ahead_wasted, 10u);
    EXPECT_LT(counters.ahead_issued, 50u);
    const std::uint64_t before = counters.ahead_used;
    for (std::uint64_t index = 0; index < 200; ++index) {
        expect_read(index * block, block);
        run_later();
    }
    EXPECT_GT(counters.ahead_used, before + 150) << "it is begun again where it helps";
}

TEST_F(BlockCacheTest, TwoReadersShareOneRead) {
    start();
    storage->hold(true);
    std::thread first{[&] { expect_read(0, block); }};
    storage->wait_for_reads(1);
    std::thread second{[&] { expect_read(512, 512); }};
    while (counters.shared == 0 && counters.hits == 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
        storage->hold(false);
    }
    first.join();
    second.join();
    EXPECT_EQ(storage->reads, 1);
    EXPECT_EQ(read_now(0, block), 0) << "and it is kept";
}

TEST_F(BlockCacheTest, WhatIsWrittenWhileItIsReadIsNotKept) {
    start();
    storage->hold(true);
    std::vector<std::byte> old(block);
    std::thread reader{[&] { EXPECT_EQ(cache->read(0, Segment{old}, Waiting::Yes), 0); }};
    storage->wait_for_reads(1);
    const std::vector<std::byte> data(1024, std::byte{0xab});
    EXPECT_EQ(cache->write(512, Segment{data}, Durability::Cached), 0);
    // Who starts now must see it, although that read goes on.
    std::vector<std::byte> now(block);
    std::thread late{[&] { EXPECT_EQ(cache->read(0, Segment{now}, Waiting::Yes), 0); }};
    storage->wait_for_reads(2);
    storage->hold(false);
    reader.join();
    late.join();
    EXPECT_EQ(now[512], std::byte{0xab});
    EXPECT_EQ(read_now(0, block), EAGAIN);
    expect_read(0, block);
}

TEST_F(BlockCacheTest, WritesGoToTheImageAndToWhatIsKept) {
    start();
    expect_read(0, 4 * block);
    const std::vector<std::byte> data(2 * block, std::byte{0x77});
    EXPECT_EQ(cache->write(block / 2, Segment{data}, Durability::Cached), 0);
    EXPECT_EQ(storage->bytes[block / 2], std::byte{0x77});
    expect_read(0, 4 * block);
    EXPECT_EQ(storage->reads, 1) << "still there";
    EXPECT_EQ(cache->flush(), 0);
    EXPECT_EQ(storage->flushes, 1);
    EXPECT_EQ(cache->write_zeroes(block, block, false), 0);
    EXPECT_EQ(cache->discard(2 * block, block), 0);
    expect_read(0, 4 * block);
    EXPECT_EQ(cache->resize(2 * block), 0);
    EXPECT_EQ(cache->resize(4 * block), 0);
    expect_read(0, 4 * block);
}

TEST_F(BlockCacheTest, ABadSectorIsAnErrorForThoseWhoWantIt) {
    options.ahead = 4 * block;
    start();
    storage->bad_from = block + 1024;
    expect_read(block, 512);
    run_later();
    std::vector<std::byte> data(512);
    EXPECT_EQ(cache->read(block + 1024, Segment{data}, Waiting::Yes), EIO);
    expect_read(block, 1024);
}

TEST_F(BlockCacheTest, OnlyPackedPiecesAreKeptWhereTheHostKeepsTheRest) {
    options.contents = CacheContents::PackedPieces;
    options.block_size = options.packed_size = storage->packed_size = 65536;
    options.ahead = 2 * options.block_size;
    storage->packed_until = 4 * options.block_size;
    start();
    expect_read(4 * 65536, 4096);
    EXPECT_EQ(storage->last_read.second, 4096u);
    expect_read(4 * 65536, 4096);
    EXPECT_EQ(storage->reads, 2) << "the host has it";
    EXPECT_TRUE(later.empty());
    expect_read(65536 + 512, 512);
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{65536, 65536}));
    run_later();
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{2 * 65536, 2 * 65536}));
    EXPECT_EQ(read_now(2 * 65536, 2 * 65536), 0);
    run_later();
    EXPECT_EQ(storage->reads, 4) << "what follows is not packed";
    EXPECT_EQ(counters.ahead_issued, 2u);
    EXPECT_EQ(counters.ahead_used, 2u);
    expect_read(3 * 65536 + 4096, 2 * 65536);
}

TEST_F(BlockCacheTest, APieceThatIsUnpackedIsKeptWhole) {
    options.packed_size = storage->packed_size = 65536;
    storage->packed_until = 65536 * 2;
    start();
    expect_read(65536 + 8192, 512);
    EXPECT_EQ(storage->last_read, (std::pair<std::uint64_t, std::uint64_t>{65536, 65536}));
    EXPECT_EQ(read_now(65536, 65536), 0);
    expect_read(65536 * 2, 512);
    EXPECT_EQ(storage->last_read.second, block);
}

TEST_F(BlockCacheTest, ClosingWaitsForNobodyWhoHasNotBegun) {
    options.ahead = 4 * block;
    start();
    expect_read(0, block);
    EXPECT_EQ(cache->close(), 0);
    cache.reset();
    run_later();  // finds out that it is not wanted any more
    EXPECT_EQ(counters.ahead_issued, 0u);
    EXPECT_EQ(counters.bytes, 0u);
}

// Random work, with reading ahead on other threads: nothing that is no longer true is ever read.
class CachedWork : public ::testing::TestWithParam<CacheContents> {
protected:
    std::unique_ptr<BlockCache> cached(const Kind& kind, const std::shared_ptr<MemoryDisk>& disk) {
        return std::make_unique<BlockCache>(
            open(kind, disk),
            BlockCacheOptions{.contents = GetParam(),
                              .block_size = 8192,
                              .packed_size = kind.is_qcow2 ? 65536u : 0,
                              .capacity = 256 << 10,
                              .ahead = 64 << 10,
                              .run_later =
                                  [this](std::function<void()> work) {
                                      boost::asio::post(pool, std::move(work));
                                  }},
            counters);
    }

    boost::asio::thread_pool pool{2};
    BlockCacheCounters counters;
};

// Half of it compressed.
std::shared_ptr<MemoryDisk> packed_disk(const Kind& kind) {
    const auto disk = make(kind, size);
    auto image = qcow2::Qcow2Image::open(std::make_unique<MemoryFile>(disk));
    const std::vector<std::byte> zeroes(65536);
    for (std::uint64_t at = 0; at < size; at += 2 * 65536)
        (void)(*image)->write_packed(at, zeroes);
    (void)(*image)->close();
    return disk;
}

TEST_P(CachedWork, GivesWhatIsTrue) {
    for (const Kind& kind : {Kind{.name = "raw"}, Kind{.name = "qcow2", .is_qcow2 = true}})
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const auto disk = kind.is_qcow2 ? packed_disk(kind) : make(kind, size);
            StampedDisk work{size, seed};
            auto cache = cached(kind, disk);
            for (int step = 0; step < 600; ++step) {
                ASSERT_EQ(work.step(*cache), 0) << work.difference;
                // Now and then one after another, for what is read ahead.
                if (step % 100 == 99)
                    for (std::uint64_t first = 0; first < size / 512; first += 16)
                        ASSERT_TRUE(work.read(*cache, first, 16)) << work.difference;
            }
            EXPECT_TRUE(work.is_current(*cache)) << work.difference;
            ASSERT_EQ(cache->close(), 0);
            cache.reset();
            const auto plain = open(kind, disk);
            EXPECT_TRUE(work.is_current(*plain)) << work.difference;
        }
    if (GetParam() == CacheContents::Everything) {
        EXPECT_GT(counters.hits, 0u);
        EXPECT_GT(counters.ahead_used, 0u);
    }
}

TEST_P(CachedWork, ThreadsDoNotDisturbEachOther) {
    const Kind kind{.name = "qcow2", .is_qcow2 = true};
    const auto disk = packed_disk(kind);
    const auto cache = cached(kind, disk);
    constexpr std::uint64_t thread_count = 4;
    const std::uint64_t length = (size / thread_count / 512 - 3) * 512;  // they share blocks
    std::vector<std::unique_ptr<StampedDisk>> works;
    works.reserve(thread_count);
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (std::uint64_t index = 0; index < thread_count; ++index) {
        works.push_back(std::make_unique<StampedDisk>(length, index + 1, 0, index * length / 512));
        threads.emplace_back([&, index] {
            Part part{*cache, index * length, length};
            for (int step = 0; step < 300; ++step)
                if (works[index]->step(part) != 0) ++failures;
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    for (std::uint64_t index = 0; index < thread_count; ++index) {
        Part part{*cache, index * length, length};
        EXPECT_TRUE(works[index]->is_current(part)) << works[index]->difference;
    }
}

INSTANTIATE_TEST_SUITE_P(, CachedWork,
                         ::testing::Values(CacheContents::Everything, CacheContents::PackedPieces),
                         [](const auto& info) {
                             return info.param == CacheContents::Everything ? "everything"
                                                                            : "packed_pieces";
                         });

}  // namespace
}  // namespace backplane::images
