// What `cache:` means for what a guest has written, and what the block cache has of an image.
#include "disk_image.h"
#include "images/create_image.h"
#include "images/open_image.h"

#include <backplane/testing/device_bench.h>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace backplane::storage {
namespace {

using testing::DeviceBench;
using testing::Setting;
using Data = std::vector<std::uint8_t>;
namespace fs = std::filesystem;

constexpr std::uint64_t size = 4 << 20;

class User {
public:
    explicit User(std::vector<Setting> settings)
        : bench{Declaration<DiskImage>::device_type(), std::move(settings)} {
        if (!bench.power_on()) failure = bench.failure();
        device = BlockDevice{bench.link("block")};
    }

    BlockResult run(BlockOperation operation, std::uint64_t offset, std::uint64_t length,
                    std::uint8_t* data = nullptr) {
        const backplane_block_segment segment{data, length};
        const auto result = device.submit(
            operation, offset, length, std::span{&segment, data != nullptr ? 1u : 0u},
            [](void* user, std::int32_t value) {
                static_cast<User*>(user)->completed = static_cast<BlockResult>(value);
            },
            this);
        if (result != BlockResult::Pending) return result;
        device.wait();
        return completed;
    }
    BlockResult write(std::uint64_t offset, Data data) {
        return run(BlockOperation::Write, offset, data.size(), data.data());
    }
    Data read(std::uint64_t offset, std::uint64_t length) {
        Data data(length);
        EXPECT_EQ(run(BlockOperation::Read, offset, length, data.data()), BlockResult::Ok);
        return data;
    }
    std::uint64_t statistic(const char* name) { return bench.statistic(name); }

    DeviceBench bench;
    BlockDevice device;
    BlockResult completed = BlockResult::Pending;
    std::string failure;
};

class CacheModes : public ::testing::Test {
protected:
    CacheModes() {
        std::string name = (fs::temp_directory_path() / "cache-modes-XXXXXX").string();
        folder = mkdtemp(name.data());
    }
    ~CacheModes() override { fs::remove_all(folder); }

    void create(const std::string& name) const {
        images::CreateOptions options;
        options.format = images::format_by_name(name);
        options.size = size;
        const auto done = images::create_image(folder / name, options);
        ASSERT_TRUE(done) << done.error();
    }
    std::vector<Setting> with(const std::string& name, const char* cache,
                              std::vector<Setting> more = {}) const {
        more.emplace_back("path", (folder / name).string());
        more.emplace_back("cache", cache);
        return more;
    }

    // The disk's pieces of 64 KiB, each full of its number, compressed.
    void create_packed(const std::string& name) const {
        create(name);
        images::OpenOptions options;
        options.access = images::FileAccess::ReadWrite;
        auto image = images::open_image(folder / name, options);
        ASSERT_TRUE(image) << image.error();
        for (std::uint64_t at = 0; at < size; at += piece) {
            const std::vector<std::byte> bytes(piece, std::byte(at / piece));
            ASSERT_EQ(image->qcow2->write_packed(at, bytes), 0);
        }
        ASSERT_EQ(image->storage->close(), 0);
    }

    static constexpr std::uint64_t piece = 65536;
    fs::path folder;
};

TEST_F(CacheModes, EachKeepsWhatIsWritten) {
    for (const char* name : {"disk.img", "disk.qcow2", "disk.vhd"})
        for (const char* cache : {"writeback", "writethrough", "none", "unsafe"}) {
            SCOPED_TRACE(std::string{name} + " " + cache);
            create(name);
            {
                User user{with(name, cache)};
                if (user.failure.contains("O_DIRECT")) GTEST_SKIP() << user.failure;
                ASSERT_EQ(user.failure, "");
                EXPECT_EQ(user.write(1536, Data(8192, 1)), BlockResult::Ok);
                EXPECT_EQ(user.read(1024, 1024), [] {
                    Data data(1024);
                    std::fill_n(data.begin() + 512, 512, std::uint8_t{1});
                    return data;
                }());
                EXPECT_EQ(user.write(2048, Data(512, 2)), BlockResult::Ok);
                EXPECT_EQ(user.run(BlockOperation::WriteZeroes, 4096, 4096), BlockResult::Ok);
                EXPECT_EQ(user.run(BlockOperation::Flush, 0, 0), BlockResult::Ok);
                EXPECT_EQ(user.read(2048, 512), Data(512, 2));
                EXPECT_EQ(user.read(4096, 4096), Data(4096, 0));
            }
            User user{with(name, "writeback", {{"read-only", true}})};
            EXPECT_EQ(user.read(2048, 512), Data(512, 2));
            EXPECT_EQ(user.read(8192, 512), Data(512, 1));
            fs::remove(folder / name);
        }
}

// Writes and reads in flight together, whoever carries them out, with some that are not aligned.
TEST_F(CacheModes, ManyRequestsInFlightPastTheHostsMemory) {
    struct Request {
        Data data;
        backplane_block_segment segment{};
        std::uint64_t offset = 0;
        BlockResult result = BlockResult::Pending;
    };
    const auto complete = [](void* user, std::int32_t value) {
        static_cast<Request*>(user)->result = static_cast<BlockResult>(value);
    };
    for (const bool ring : {true, false})
        for (const std::uint64_t cache_size : {0, 1 << 20}) {
            SCOPED_TRACE(::testing::Message() << ring << " " << cache_size);
            create("disk.img");
            User user{with("disk.img", "none", {{"io-uring", ring}, {"cache-size", cache_size}})};
            if (user.failure.contains("O_DIRECT")) GTEST_SKIP() << user.failure;
            ASSERT_EQ(user.failure, "");
            const auto run_all = [&](BlockOperation operation, std::vector<Request>& requests) {
                for (Request& request : requests) {
                    request.segment = {request.data.data(), request.data.size()};
                    request.result = user.device.submit(
                        operation, request.offset, request.data.size(),
                        std::span{&request.segment, 1}, complete, &request);
                }
                user.device.wait();
                for (const Request& request : requests)
                    ASSERT_EQ(request.result, BlockResult::Ok);
            };
            std::vector<Request> requests(200);
            for (std::size_t at = 0; at < requests.size(); ++at) {
                requests[at].offset = at * 20480 + at % 3 * 512;
                requests[at].data.assign(at % 5 == 0 ? 12288 : 4096, std::uint8_t(at + 1));
            }
            run_all(BlockOperation::Write, requests);
            std::vector<Request> back = requests;
            for (int round = 0; round < 2; ++round) {
                for (Request& request : back)
                    std::ranges::fill(request.data, std::uint8_t{0});
                run_all(BlockOperation::Read, back);
                for (std::size_t at = 0; at < requests.size(); ++at)
                    ASSERT_EQ(back[at].data, requests[at].data) << at;
            }
            if (!ring) EXPECT_EQ(user.statistic("in-ring"), 0u);
            fs::remove(folder / "disk.img");
        }
}

TEST_F(CacheModes, AFileThatShrankGivesErrorsWhoeverReadsIt) {
    create("disk.img");
    for (const char* cache : {"writeback", "none"}) {
        User user{with("disk.img", cache)};
        if (user.failure.contains("O_DIRECT")) GTEST_SKIP() << user.failure;
        fs::resize_file(folder / "disk.img", size / 2);
        Data data(4096);
        EXPECT_EQ(user.run(BlockOperation::Read, size / 2, 4096, data.data()), BlockResult::Failed);
        EXPECT_EQ(user.run(BlockOperation::Read, size / 4, 4096, data.data()), BlockResult::Ok);
        fs::resize_file(folder / "disk.img", size);
    }
}

TEST_F(CacheModes, WritethroughWaitsForTheDisk) {
    create("disk.img");
    User back{with("disk.img", "writeback")};
    EXPECT_EQ(back.write(0, Data(512, 1)), BlockResult::Ok);
    EXPECT_EQ(back.statistic("waited"), 0u);
    User through{with("disk.img", "writethrough", {{"locking", false}})};
    EXPECT_EQ(through.write(0, Data(512, 1)), BlockResult::Ok);
    EXPECT_EQ(through.statistic("waited"), 1u);
}

// A process that writes is killed at any moment; what has completed is there, although nothing was
// flushed.
TEST_F(CacheModes, WritethroughLosesNothing) {
    struct Log {
        std::atomic<std::uint64_t> wanted[size / 512], completed[size / 512];
        std::atomic<bool> has_started, has_completed, has_failed;
    };
    create("disk.qcow2");
    auto* log = static_cast<Log*>(
        mmap(nullptr, sizeof(Log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(log, MAP_FAILED);
    std::mt19937_64 random{1};
    std::uint64_t completed = 0;
    for (int round = 0; round < 20; ++round) {
        log->has_started = false;
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) {
            User user{with("disk.qcow2", "writethrough")};
            if (!user.failure.empty()) log->has_failed = true;
            log->has_started = true;
            for (std::uint64_t stamp = static_cast<std::uint64_t>(round) * 1'000'000 + 1;;
                 ++stamp) {
                const std::uint64_t sector = random() % (size / 512);
                Data data(512);
                std::memcpy(data.data(), &stamp, sizeof stamp);
                log->wanted[sector] = stamp;
                if (user.write(sector * 512, data) != BlockResult::Ok) log->has_failed = true;
                log->completed[sector] = stamp;
                log->has_completed = true;
            }
        }
        while (!log->has_started)
            std::this_thread::sleep_for(std::chrono::microseconds{100});
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 40'000});
        // A busy disk may not have got anything of it so far.
        while (round == 0 && !log->has_completed && !log->has_failed)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        kill(child, SIGKILL);
        ASSERT_EQ(waitpid(child, nullptr, 0), child);
        ASSERT_FALSE(log->has_failed);
        User user{with("disk.qcow2", "writeback", {{"read-only", true}})};
        ASSERT_EQ(user.failure, "");
        const Data data = user.read(0, size);
        for (std::uint64_t sector = 0; sector < size / 512; ++sector) {
            std::uint64_t stamp = 0;
            std::memcpy(&stamp, &data[sector * 512], sizeof stamp);
            ASSERT_GE(stamp, log->completed[sector]) << "sector " << sector << " was lost";
            ASSERT_LE(stamp, log->wanted[sector]);
            log->wanted[sector] = log->completed[sector] = stamp;
            if (stamp != 0) ++completed;
        }
    }
    EXPECT_GT(completed, 0u);
    munmap(log, sizeof(Log));
}

TEST_F(CacheModes, CompressedPiecesAreUnpackedOnceAndAhead) {
    create_packed("disk.qcow2");
    User user{with("disk.qcow2", "writeback", {{"read-only", true}})};
    for (std::uint64_t at = 0; at < size; at += 4096)
        ASSERT_EQ(user.read(at, 4096), Data(4096, static_cast<std::uint8_t>(at / piece)));
    EXPECT_GT(user.statistic("prefetch.issued"), 0u);
    EXPECT_GE(user.statistic("prefetch.issued"), user.statistic("prefetch.used"));
    EXPECT_EQ(user.statistic("cache.misses") + user.statistic("prefetch.issued"), size / piece)
        << "each is unpacked once";
    EXPECT_GT(user.statistic("cache.hit-rate"), 80u);
    // The last read ahead may still be on its way.
    for (int tries = 0; tries < 1000 && user.statistic("cache.bytes") != size; ++tries)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    EXPECT_EQ(user.statistic("cache.bytes"), size);
    const std::uint64_t waited = user.statistic("waited");
    std::mt19937_64 random{1};
    for (int count = 0; count < 500; ++count) {
        const std::uint64_t at = random() % (size / 4096) * 4096;
        ASSERT_EQ(user.read(at, 4096), Data(4096, static_cast<std::uint8_t>(at / piece)));
    }
    EXPECT_EQ(user.statistic("waited"), waited) << "all of it is in memory";
}

TEST_F(CacheModes, ASnapshotAboveCompressedPieces) {
    create_packed("disk.qcow2");
    User user{with("disk.qcow2", "writeback", {{"snapshot", true}})};
    EXPECT_EQ(user.read(piece, 4096), Data(4096, 1));
    EXPECT_GT(user.statistic("cache.misses"), 0u);
    EXPECT_EQ(user.write(piece, Data(4096, 0xee)), BlockResult::Ok);
    EXPECT_EQ(user.read(piece, 4096), Data(4096, 0xee));
    EXPECT_EQ(user.read(piece + 4096, 4096), Data(4096, 1));
}

TEST_F(CacheModes, WhatTheHostKeepsIsNotKeptTwice) {
    create("disk.img");
    User user{with("disk.img", "writeback")};
    (void)user.read(0, 65536);
    EXPECT_EQ(user.statistic("cache.bytes"), 0u);
    EXPECT_EQ(user.statistic("cache.misses"), 0u);
}

TEST_F(CacheModes, PastTheHostsMemoryTheBlockCacheReadsAhead) {
    create("disk.img");
    {
        User user{with("disk.img", "none", {{"cache-size", std::uint64_t{1} << 20}})};
        if (user.failure.contains("O_DIRECT")) GTEST_SKIP() << user.failure;
        for (std::uint64_t at = 0; at < size; at += 4096)
            (void)user.read(at, 4096);
        EXPECT_GT(user.statistic("prefetch.used"), size / 4096 / 2);
        EXPECT_EQ(user.statistic("cache.bytes"), 1u << 20);
    }
    User user{with("disk.img", "none", {{"cache-size", std::uint64_t{0}}})};
    (void)user.read(0, 65536);
    EXPECT_EQ(user.statistic("cache.bytes"), 0u);
}

TEST_F(CacheModes, ADeterministicMachineReadsNothingAhead) {
    create_packed("disk.qcow2");
    DeviceBench bench{Declaration<DiskImage>::device_type(), with("disk.qcow2", "writeback")};
    const_cast<backplane_host*>(bench.host().functions())->watch_readable =
        [](void*, int, void (*)(void*), void*) -> backplane_watch* { return nullptr; };
    ASSERT_TRUE(bench.power_on());
    const BlockDevice device{bench.link("block")};
    Data data(4096);
    const backplane_block_segment segment{data.data(), data.size()};
    for (int count = 0; count < 2; ++count)
        EXPECT_EQ(device.submit(BlockOperation::Read, piece, 4096, std::span{&segment, 1}, nullptr,
                                nullptr),
                  BlockResult::Ok);
    EXPECT_EQ(data, Data(4096, 1));
    EXPECT_EQ(bench.statistic("cache.hits"), 1u);
    EXPECT_EQ(bench.statistic("prefetch.issued"), 0u);
}

}  // namespace
}  // namespace backplane::storage
