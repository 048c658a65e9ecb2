// The requests of a virtio disk, its configuration, and what errors look like. (virtio 1.2, 5.2)
#include "virtio_blk_bench.h"

#include <gmock/gmock.h>

namespace backplane::storage {
namespace {

using ::testing::HasSubstr;
namespace feature = virtio_blk::feature;
using namespace virtio_blk::request;
using virtio_blk::status::ioerr;
using virtio_blk::status::ok;
using virtio_blk::status::unsupp;

constexpr std::uint64_t data = VirtioBlkBench::data;

Data pattern(std::size_t length, unsigned seed) {
    Data bytes(length);
    for (std::size_t at = 0; at < length; ++at)
        bytes[at] = static_cast<std::uint8_t>(at * seed + at / 256);
    return bytes;
}

TEST(VirtioBlkTest, DescribesItself) {
    VirtioBlkBench bench;
    bench.on();
    auto& driver = *bench.driver;
    EXPECT_EQ(bench.slot.read_config(0), 0x10011af4u);
    EXPECT_EQ(bench.slot.read_config(8) >> 8, 0x010000u);
    const auto features = driver.offered();
    EXPECT_EQ(features & 0xffffff, feature::seg_max | feature::geometry | feature::blk_size |
                                       feature::flush | feature::topology | feature::config_wce |
                                       feature::discard | feature::write_zeroes);
    EXPECT_EQ(driver.config(0, 8), 2048u);
    EXPECT_EQ(driver.config(12, 4), 254u);
    EXPECT_EQ(driver.config(16, 4), 2u | 16u << 16 | 63u << 24)
        << "2 cylinders, 16 heads, 63 sectors";
    EXPECT_EQ(driver.config(20, 4), 512u);
    EXPECT_EQ(driver.config(24, 1), 0u);
    EXPECT_EQ(driver.config(34, 2), 1u);
}

TEST(VirtioBlkTest, DescribesWhatTheMachineFileSays) {
    VirtioBlkBench bench{{{"queues", 4}, {"block-size", 4096}, {"queue-size", 64}},
                         4096 * 10 + 512};
    bench.image.is_read_only = true;
    bench.on();
    auto& driver = *bench.driver;
    EXPECT_EQ(driver.offered() & 0xffffff,
              feature::seg_max | feature::geometry | feature::blk_size | feature::flush |
                  feature::topology | feature::config_wce | feature::mq | feature::read_only);
    EXPECT_EQ(driver.config(0, 8), 80u) << "whole blocks";
    EXPECT_EQ(driver.config(12, 4), 62u);
    EXPECT_EQ(driver.config(20, 4), 4096u);
    EXPECT_EQ(driver.config(34, 2), 4u);
    EXPECT_EQ(driver.common(0x12, 2), 4u);
}

TEST(VirtioBlkTest, ReadsAndWrites) {
    VirtioBlkBench bench;
    bench.begin();
    EXPECT_EQ(bench.request(in, 40, {{data, 4096, true}}), ok);
    EXPECT_EQ(bench.memory(data, 4096), bench.content(40 * 512, 4096));
    EXPECT_EQ(bench.written, 4097u);
    bench.put(data, pattern(4096, 3));
    EXPECT_EQ(bench.request(out, 100, {{data, 4096}}), ok);
    EXPECT_EQ(bench.content(100 * 512, 4096), pattern(4096, 3));
    EXPECT_EQ(bench.written, 1u);
    EXPECT_EQ(bench.request(in, 2047, {{data, 512, true}}), ok);
    EXPECT_EQ(bench.memory(data, 512), bench.content(2047 * 512, 512));
    EXPECT_EQ(bench.request(in, 2048, {}), ok) << "nothing of nothing";
    EXPECT_EQ(bench.disk.statistic("bytes.read"), 4608u);
    EXPECT_EQ(bench.disk.statistic("bytes.written"), 4096u);
}

TEST(VirtioBlkTest, BuffersAreCutAsTheDriverLikes) {
    VirtioBlkBench bench;
    bench.begin();
    auto& queue = bench.driver->queue(0);
    // Header in three, data in odd pieces, and the status behind the last.
    bench.put_header(in, 8);
    std::vector<VirtioBuffer> buffers{
        {VirtioBlkBench::header, 1},      {VirtioBlkBench::header + 1, 9},
        {VirtioBlkBench::header + 10, 6}, {data + 1, 511, true},
        {data + 5000, 2, true},           {data + 7001, 512, true}};
    queue.add(buffers, true);
    bench.driver->notify(0);
    EXPECT_EQ(queue.take_used()->length, 1025u);
    Data got = bench.memory(data + 1, 511);
    for (const auto& part : {bench.memory(data + 5000, 2), bench.memory(data + 7001, 511)})
        got.insert(got.end(), part.begin(), part.end());
    EXPECT_EQ(got, bench.content(8 * 512, 1024));
    EXPECT_EQ(bench.memory(data + 7512, 1)[0], ok);
    // Header and data in one.
    bench.put_header(out, 9);
    bench.put(VirtioBlkBench::header + 16, pattern(512, 5));
    queue.add({{VirtioBlkBench::header, 528}, {VirtioBlkBench::status, 1, true}});
    bench.driver->notify(0);
    EXPECT_EQ(bench.content(9 * 512, 512), pattern(512, 5));
    EXPECT_EQ(bench.status_of(), ok);
}

TEST(VirtioBlkTest, MemoryThatIsNotDirectlyThereIsCopied) {
    VirtioBlkBench bench;
    bench.begin();
    // Across the end of memory: what is beyond reads as ones, and keeps nothing.
    const std::uint64_t end = bench.slot.memory.memory.size();
    EXPECT_EQ(bench.request(in, 3, {{end - 512, 1024, true}}), ok);
    EXPECT_EQ(bench.memory(end - 512, 512), bench.content(3 * 512, 512));
    EXPECT_EQ(bench.request(out, 20, {{end - 512, 1024}}), ok);
    EXPECT_EQ(bench.content(20 * 512, 512), bench.content(3 * 512, 512));
    EXPECT_EQ(bench.content(21 * 512, 512), Data(512, 0xff));
}

TEST(VirtioBlkTest, AGuestCannotMakeTheHostCopyWithoutBound) {
    VirtioBlkBench bench{{}, 40 << 20};
    bench.begin();
    EXPECT_EQ(bench.request(in, 0, {{0x80000000, 16 << 20, true}}), ok);
    EXPECT_EQ(bench.request(in, 0, {{0x80000000, (16 << 20) + 512, true}}), ioerr);
    EXPECT_EQ(bench.request(out, 0, {{0x80000000, 40 << 20}}), ioerr);
}

TEST(VirtioBlkTest, WhatIsNotThereIsAnError) {
    VirtioBlkBench bench;
    bench.begin();
    EXPECT_EQ(bench.request(in, 2048, {{data, 512, true}}), ioerr);
    EXPECT_EQ(bench.written, 0u) << "nothing of the data";
    EXPECT_EQ(bench.request(in, 2047, {{data, 1024, true}}), ioerr);
    EXPECT_EQ(bench.request(out, ~std::uint64_t{0}, {{data, 512}}), ioerr);
    EXPECT_EQ(bench.request(out, std::uint64_t{1} << 55, {{data, 512}}), ioerr);
    EXPECT_EQ(bench.request(in, 0, {{data, 511, true}}), ioerr) << "no whole sector";
    EXPECT_EQ(bench.request(2, 0, {{data, 512, true}}), unsupp) << "SCSI commands";
    EXPECT_EQ(bench.request(0xffffffff, 0, {{data, 512}}), unsupp);
    bench.image.bad = {512 * 5, 512 * 6};
    EXPECT_EQ(bench.request(in, 4, {{data, 2048, true}}), ioerr);
    EXPECT_EQ(bench.request(out, 5, {{data, 512}}), ioerr);
    EXPECT_EQ(bench.request(in, 6, {{data, 512, true}}), ok);
    EXPECT_EQ(bench.disk.statistic("failures"), 9u);
    EXPECT_FALSE(bench.needs_reset());
}

TEST(VirtioBlkTest, BlocksAreReadAndWrittenWhole) {
    VirtioBlkBench bench{{{"block-size", 4096}}};
    bench.begin();
    EXPECT_EQ(bench.request(in, 8, {{data, 4096, true}}), ok);
    EXPECT_EQ(bench.request(in, 4, {{data, 4096, true}}), ioerr);
    EXPECT_EQ(bench.request(in, 8, {{data, 2048, true}}), ioerr);
}

TEST(VirtioBlkTest, AReadOnlyImageIsNotWritten) {
    VirtioBlkBench bench;
    bench.image.is_read_only = true;
    bench.begin(virtio::feature::version_1 | feature::flush);
    EXPECT_EQ(bench.request(out, 0, {{data, 512}}), ioerr);
    EXPECT_EQ(bench.request(write_zeroes, 0, {{data, 16}}), unsupp) << "not offered";
    EXPECT_EQ(bench.request(in, 0, {{data, 512, true}}), ok);
}

TEST(VirtioBlkTest, MalformedRequestsNeedAReset) {
    for (const auto& buffers : {std::vector<VirtioBuffer>{{VirtioBlkBench::header, 15},
                                                          {VirtioBlkBench::status, 1, true}},
                                std::vector<VirtioBuffer>{{VirtioBlkBench::header, 16}},
                                std::vector<VirtioBuffer>{{VirtioBlkBench::status, 1, true}}}) {
        VirtioBlkBench bench;
        bench.begin();
        bench.put_header(in, 0);
        bench.driver->queue(0).add(buffers);
        bench.driver->notify(0);
        EXPECT_TRUE(bench.needs_reset());
        EXPECT_EQ(bench.driver->queue(0).take_used(), std::nullopt);
        bench.driver.reset();
        bench.driver.emplace(bench.slot);
        bench.begin();
        EXPECT_EQ(bench.request(in, 0, {{data, 512, true}}), ok);
    }
}

TEST(VirtioBlkTest, TellsItsSerialNumber) {
    VirtioBlkBench bench{{{"serial", std::string{"ABCDEFGHIJKLMNOPQRST"}}}};
    bench.begin();
    EXPECT_EQ(bench.request(get_id, 0, {{data, 20, true}}), ok);
    EXPECT_EQ(bench.memory(data, 20), (Data{'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'I', 'J',
                                            'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T'}));
    EXPECT_EQ(bench.request(get_id, 0, {{data + 100, 4, true}}), ok);
    EXPECT_EQ(bench.memory(data + 100, 5), (Data{'A', 'B', 'C', 'D', 0}));
    VirtioBlkBench other;
    other.begin();
    EXPECT_EQ(other.request(get_id, 0, {{data, 20, true}}), ok);
    EXPECT_EQ(other.memory(data, 7), (Data{'d', 'e', 'v', 'i', 'c', 'e', 0}));
}

// ---- Caches ----

using Requests = std::vector<FakeBlock::Request>;

TEST(VirtioBlkTest, ADriverThatCanFlushHasAWriteCache) {
    VirtioBlkBench bench;
    bench.begin();
    EXPECT_EQ(bench.driver->config(32, 1), 1u);
    bench.request(out, 1, {{data, 512}});
    EXPECT_EQ(bench.request(flush, 0, {}), ok);
    EXPECT_EQ(bench.image.requests,
              (Requests{{BACKPLANE_BLOCK_WRITE, 0, 512, 512}, {BACKPLANE_BLOCK_FLUSH, 0, 0, 0}}));
    bench.image.bad = {0, 1};
    EXPECT_EQ(bench.request(flush, 0, {}), ok);
    EXPECT_EQ(bench.disk.statistic("flushes"), 2u);
}

TEST(VirtioBlkTest, ADriverThatCannotFlushHasNone) {
    VirtioBlkBench bench;
    bench.begin(virtio::feature::version_1 | feature::write_zeroes);
    EXPECT_EQ(bench.driver->config(32, 1), 0u);
    bench.request(out, 1, {{data, 512}});
    bench.slot.memory.write(data, 8, 7);
    bench.slot.memory.write(data + 8, 8, 1);
    bench.request(write_zeroes, 0, {{data, 16}});
    EXPECT_EQ(
        bench.image.requests,
        (Requests{{BACKPLANE_BLOCK_WRITE, BACKPLANE_BLOCK_FORCE_ACCESS, 512, 512},
                  {BACKPLANE_BLOCK_WRITE_ZEROES, BACKPLANE_BLOCK_FORCE_ACCESS, 7 * 512, 512}}));
}

TEST(VirtioBlkTest, TheDriverChoosesTheCache) {
    VirtioBlkBench bench;
    bench.begin(VirtioBlkBench::all_features | feature::config_wce);
    EXPECT_EQ(bench.driver->config(32, 1), 1u);
    bench.driver->set_config(32, 1, 0);
    EXPECT_EQ(bench.driver->config(32, 1), 0u);
    bench.request(out, 1, {{data, 512}});
    EXPECT_EQ(bench.image.requests.back().flags, BACKPLANE_BLOCK_FORCE_ACCESS);
    bench.driver->set_config(32, 1, 1);
    bench.request(out, 1, {{data, 512}});
    EXPECT_EQ(bench.image.requests.back().flags, 0u);
    // Without flushes it begins off; without CONFIG_WCE it cannot be chosen.
    bench.begin(virtio::feature::version_1 | feature::config_wce);
    EXPECT_EQ(bench.driver->config(32, 1), 0u);
    bench.begin();
    bench.driver->set_config(32, 1, 0);
    EXPECT_EQ(bench.driver->config(32, 1), 1u);
}

// ---- DISCARD and WRITE ZEROES ----

struct Range {
    std::uint64_t sector;
    std::uint32_t count, flags;
};

unsigned request_ranges(VirtioBlkBench& bench, std::uint32_t type,
                        const std::vector<Range>& ranges) {
    for (std::size_t index = 0; index < ranges.size(); ++index) {
        bench.slot.memory.write(data + index * 16, 8, ranges[index].sector);
        bench.slot.memory.write(data + index * 16 + 8, 4, ranges[index].count);
        bench.slot.memory.write(data + index * 16 + 12, 4, ranges[index].flags);
    }
    return bench.request(type, 0, {{data, static_cast<std::uint32_t>(ranges.size() * 16)}});
}

TEST(VirtioBlkTest, DiscardsAndZeroesRanges) {
    VirtioBlkBench bench;
    bench.begin();
    EXPECT_EQ(request_ranges(bench, discard, {{10, 2, 0}, {100, 7, 0}}), ok);
    EXPECT_EQ(request_ranges(bench, write_zeroes, {{50, 1, 0}, {60, 3, 1}}), ok);
    EXPECT_EQ(bench.image.requests, (Requests{{BACKPLANE_BLOCK_DISCARD, 0, 10 * 512, 2 * 512},
                                              {BACKPLANE_BLOCK_DISCARD, 0, 100 * 512, 7 * 512},
                                              {BACKPLANE_BLOCK_WRITE_ZEROES, 0, 50 * 512, 512},
                                              {BACKPLANE_BLOCK_WRITE_ZEROES,
                                               BACKPLANE_BLOCK_MAY_DISCARD, 60 * 512, 3 * 512}}));
}

TEST(VirtioBlkTest, RangesAreCheckedBeforeAnythingIsDone) {
    VirtioBlkBench bench;
    bench.begin();
    EXPECT_EQ(request_ranges(bench, discard, {{10, 2, 0}, {2040, 9, 0}}), ioerr);
    EXPECT_EQ(request_ranges(bench, discard, {{10, 2, 1}}), unsupp) << "unmap is for zeroes";
    EXPECT_EQ(request_ranges(bench, write_zeroes, {{10, 2, 2}}), unsupp);
    EXPECT_EQ(request_ranges(bench, write_zeroes, {{~std::uint64_t{0}, 2, 0}}), ioerr);
    EXPECT_EQ(request_ranges(bench, write_zeroes, {{0, 0xffffffff, 0}}), ioerr);
    EXPECT_EQ(request_ranges(bench, discard, std::vector<Range>(65, {1, 1, 0})), ioerr);
    EXPECT_EQ(bench.request(discard, 0, {{data, 15}}), ioerr);
    EXPECT_EQ(bench.request(discard, 0, {}), ioerr);
    EXPECT_TRUE(bench.image.requests.empty());
    EXPECT_EQ(request_ranges(bench, discard, std::vector<Range>(64, {1, 1, 0})), ok);
    EXPECT_EQ(bench.image.requests.size(), 64u);
}

TEST(VirtioBlkTest, AnImageThatCannotDiscardDoesNotOfferIt) {
    VirtioBlkBench bench;
    bench.image.can_discard = false;
    bench.on();
    EXPECT_EQ(bench.driver->offered() & feature::discard, 0u);
    EXPECT_EQ(bench.driver->config(56, 1), 0u);
    bench.begin(VirtioBlkBench::all_features & ~feature::discard);
    EXPECT_EQ(request_ranges(bench, discard, {{10, 2, 0}}), unsupp);
}

// ---- Settings ----

TEST(VirtioBlkTest, RefusesSettingsThatCannotBe) {
    const auto failure = [](std::vector<Setting> settings) {
        VirtioBlkBench bench{std::move(settings)};
        EXPECT_FALSE(bench.disk.power_on());
        return bench.disk.failure();
    };
    EXPECT_THAT(failure({{"queue-size", 100}}), HasSubstr("queue-size is 100"));
    EXPECT_THAT(failure({{"block-size", 1000}}), HasSubstr("block-size is 1000"));
    EXPECT_THAT(failure({{"serial", std::string(21, 'x')}}), HasSubstr("room for 20"));
}

TEST(VirtioBlkTest, ADiskWithoutAnImageIsNotThere) {
    VirtioBlkBench bench;
    bench.image.has_medium = false;
    bench.image.bytes.clear();
    ASSERT_TRUE(bench.disk.power_on());
    EXPECT_EQ(bench.slot.read_config(0), 0xffffffffu);
    EXPECT_EQ(bench.slot.read_config(0, 2), 0xffffu);
    bench.slot.enable();
    EXPECT_EQ(bench.slot.read_config(4), 0xffffffffu);
    EXPECT_TRUE(bench.slot.memory.placements.empty());
}

TEST(VirtioBlkTest, TellsTheDriverOfAnotherSize) {
    VirtioBlkBench bench;
    bench.begin();
    bench.image.resize(4096 * 512);
    EXPECT_EQ(bench.driver->interrupt_status(), 2);
    EXPECT_EQ(bench.driver->config(0, 8), 4096u);
    EXPECT_EQ(bench.request(in, 4095, {{data, 512, true}}), ok);
    bench.image.resize(1024 * 512);
    EXPECT_EQ(bench.request(in, 1024, {{data, 512, true}}), ioerr);
}

}  // namespace
}  // namespace backplane::storage
