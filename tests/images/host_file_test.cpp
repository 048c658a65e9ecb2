// Files past the host's memory, whose alignment nobody above has to know, and those that are never
// flushed.
#include "image_folder.h"
#include "images/host_file.h"
#include "images/raw_storage.h"
#include "stamped_disk.h"

#include <gtest/gtest.h>

#include <atomic>
#include <numeric>
#include <random>
#include <thread>

namespace backplane::images {
namespace {

using namespace testing;

class HostFileTest : public ImageFolder {
protected:
    std::unique_ptr<HostFile> file(const std::string& name, Caching caching,
                                   FileAccess access = FileAccess::ReadWrite) {
        auto opened = HostFile::open(at(name), access, Locking::No, caching);
        if (!opened) {
            why = opened.error();
            return nullptr;
        }
        return std::move(*opened);
    }
    // A file of these many bytes, and itself past the host's memory; null where that cannot be.
    std::unique_ptr<HostFile> direct(std::size_t size) {
        std::vector<char> data(size);
        std::iota(data.begin(), data.end(), char{0});
        put("disk.img", data.data(), size);
        return file("disk.img", Caching::None);
    }
    std::string why;
};

#define SKIP_WITHOUT(file)                                                                         \
    if (!file) GTEST_SKIP() << why

TEST_F(HostFileTest, AnyBytesCanBeReadAndWrittenPastTheHostsMemory) {
    constexpr std::size_t size = 70'000;
    const auto direct_file = direct(size);
    SKIP_WITHOUT(direct_file);
    EXPECT_FALSE(direct_file->keeps_writes());
    std::string expected = get("disk.img");
    std::mt19937_64 random{5};
    std::vector<std::byte> memory(20'000);
    for (int step = 0; step < 300; ++step) {
        const std::uint64_t offset = random() % size;
        const std::uint64_t length = 1 + random() % std::min<std::uint64_t>(size - offset, 9000);
        const auto bytes = std::span{memory}.subspan(random() % 5000, length);
        if (step % 2 == 0) {
            std::ranges::fill(bytes, std::byte(step));
            ASSERT_EQ(direct_file->write(offset, Segment{bytes}, Durability::Cached), 0);
            std::ranges::fill(std::span{expected}.subspan(offset, length), char(step));
        } else {
            ASSERT_EQ(direct_file->read(offset, Segment{bytes}, Waiting::No), EAGAIN);
            ASSERT_EQ(direct_file->read(offset, Segment{bytes}, Waiting::Yes), 0);
            ASSERT_EQ(std::memcmp(bytes.data(), expected.data() + offset, length), 0) << offset;
        }
        ASSERT_EQ(get("disk.img").size(), size) << "it never grows by itself";
    }
    EXPECT_EQ(direct_file->flush(), 0);
    EXPECT_EQ(get("disk.img"), expected);
}

TEST_F(HostFileTest, AFileGrowsPastTheHostsMemoryByWhatIsWritten) {
    const auto direct_file = direct(1000);
    SKIP_WITHOUT(direct_file);
    const std::vector<std::byte> data(512, std::byte{7});
    EXPECT_EQ(direct_file->write(5000, Segment{data}, Durability::Stable), 0);
    EXPECT_EQ(direct_file->size(), 5512u);
    EXPECT_EQ(get("disk.img").size(), 5512u);
    std::vector<std::byte> all(8192, std::byte{1});
    EXPECT_EQ(direct_file->read(0, Segment{all}, Waiting::Yes), 0);
    EXPECT_EQ(all[999], std::byte(char(999)));
    EXPECT_EQ(all[1000], std::byte{0});
    EXPECT_EQ(all[5000], std::byte{7});
    EXPECT_EQ(all[5512], std::byte{0}) << "what lies past the end";
}

TEST_F(HostFileTest, NeighboursInOneBlockDoNotLoseWhatTheyWrite) {
    constexpr std::size_t size = 64 << 10, part = 700;
    const auto direct_file = direct(size);
    SKIP_WITHOUT(direct_file);
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (unsigned char index = 0; index < 4; ++index)
        threads.emplace_back([&, index] {
            for (std::size_t round = 0; round < 20; ++round) {
                const std::vector<std::byte> data(part, std::byte(index + 1));
                const std::uint64_t offset = (round * 4 + index) * part;
                if (direct_file->write(offset, Segment{data}, Durability::Cached) != 0) ++failures;
            }
        });
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    const std::string data = get("disk.img");
    for (std::size_t at = 0; at < 80 * part; ++at)
        ASSERT_EQ(data[at], char(at / part % 4 + 1)) << at;
}

TEST_F(HostFileTest, RandomWorkPastTheHostsMemory) {
    auto direct_file = direct(4 << 20);
    SKIP_WITHOUT(direct_file);
    RawStorage image{std::move(direct_file)};
    StampedDisk work{4 << 20, 1};
    ASSERT_EQ(image.write_zeroes(0, 4 << 20, false), 0);
    work.adopt(image);
    for (int step = 0; step < 300; ++step)
        ASSERT_EQ(work.step(image), 0) << work.difference;
    EXPECT_TRUE(work.is_current(image)) << work.difference;
}

TEST_F(HostFileTest, WhatIsNeverFlushedIsInTheFileAllTheSame) {
    put("disk.img", "....", 4);
    const auto unsafe = file("disk.img", Caching::Unsafe);
    ASSERT_TRUE(unsafe);
    EXPECT_TRUE(unsafe->keeps_writes());
    const std::byte a{'a'};
    EXPECT_EQ(unsafe->write(1, Segment{{&a, 1}}, Durability::Stable), 0);
    EXPECT_EQ(unsafe->flush(), 0);
    EXPECT_EQ(get("disk.img"), ".a..");
}

TEST_F(HostFileTest, WhatIsWrittenToADeletedFileDoesNotCountAsStable) {
    for (const Caching caching : {Caching::Writeback, Caching::Unsafe}) {
        put("disk.img", "....", 4);
        const auto deleted = file("disk.img", caching);
        ASSERT_TRUE(deleted);
        const std::byte a{'a'};
        EXPECT_EQ(deleted->write(1, Segment{{&a, 1}}, Durability::Stable), 0);
        EXPECT_EQ(deleted->flush(), 0);
        fs::rename(at("disk.img"), at("moved.img"));
        EXPECT_EQ(deleted->flush(), 0) << "it is somewhere";
        fs::remove(at("moved.img"));
        EXPECT_EQ(deleted->flush(), ENOENT);
        EXPECT_EQ(deleted->write(1, Segment{{&a, 1}}, Durability::Stable), ENOENT);
        EXPECT_EQ(deleted->write(1, Segment{{&a, 1}}, Durability::Cached), 0);
    }
    const auto temporary = HostFile::temporary();
    ASSERT_TRUE(temporary);
    EXPECT_EQ((*temporary)->flush(), 0) << "that never had a name";
}

}  // namespace
}  // namespace backplane::images
