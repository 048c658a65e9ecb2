// What is written to an image is read from it, and its file is sound at any moment.
#include "formats.h"
#include "image_part.h"
#include "stamped_disk.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <thread>

namespace backplane::images {
namespace {

using namespace testing;

constexpr std::uint64_t size = 6 << 20;

class Writing : public ::testing::TestWithParam<Kind> {
protected:
    const Kind& kind = GetParam();

    std::unique_ptr<ImageStorage> opened(const std::shared_ptr<MemoryDisk>& disk) {
        std::string why;
        auto image = open(kind, disk, kind.has_below ? below(size) : nullptr, &why);
        EXPECT_TRUE(image != nullptr) << why;
        return image;
    }

    // Returns how many leaks there are.
    std::uint64_t expect_sound(const std::shared_ptr<MemoryDisk>& disk) {
        const auto report = check(kind, disk);
        EXPECT_TRUE(report) << report.error();
        if (!report) return 0;
        EXPECT_EQ(report->errors, 0u);
        for (const std::string& finding : report->findings)
            if (finding.starts_with("error")) ADD_FAILURE() << finding;
        return report->leaks;
    }
};

TEST_P(Writing, WhatIsWrittenIsRead) {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        const auto disk = make(kind, size);
        ASSERT_TRUE(disk);
        StampedDisk work{size, seed};
        auto image = opened(disk);
        ASSERT_EQ(image->size(), size);
        work.adopt(*image);
        for (int step = 0; step < 400; ++step)
            ASSERT_EQ(work.step(*image), 0) << "step " << step << ": " << work.difference;
        ASSERT_TRUE(work.is_current(*image)) << work.difference;
        ASSERT_EQ(image->close(), 0);
        image.reset();
        EXPECT_EQ(expect_sound(disk), 0u);
        image = opened(disk);
        EXPECT_TRUE(work.is_current(*image)) << work.difference;
    }
}

// BACKPLANE_POWER_FAILURES says with how many seeds.
TEST_P(Writing, APowerFailureLosesNothingThatWasFlushed) {
    const char* wanted = std::getenv("BACKPLANE_POWER_FAILURES");
    const std::uint64_t seeds = wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 12;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        const auto disk = make(kind, size);
        ASSERT_TRUE(disk);
        StampedDisk work{size, seed};
        for (int round = 0; round < 4; ++round) {
            auto image = opened(disk);
            ASSERT_TRUE(image);
            if (round == 0) work.adopt(*image);
            // At any moment, also while the image orders its tables.
            disk->changes_until_failure = static_cast<int>(1 + work.random() % 200);
            try {
                for (;;) {
                    ASSERT_EQ(work.step(*image), 0) << work.difference;
                    if (work.random() % 3 == 0) ASSERT_EQ(work.flush(*image), 0);
                }
            } catch (const PowerFailure&) {
            }
            image.reset();
            disk->changes_until_failure = -1;
            disk->lose_power(work.random);
            // Counts that are kept lazily are wrong until the file is opened again.
            if (!kind.qcow2.has_lazy_refcounts) expect_sound(disk);
            image = opened(disk);
            ASSERT_TRUE(image);
            ASSERT_TRUE(work.is_possible_after_failure(*image))
                << "seed " << seed << ", round " << round << ": " << work.difference;
            work.adopt(*image);
            image.reset();
            expect_sound(disk);
        }
        // What leaked can be had back.
        const auto mended = check(kind, disk, Repair::Everything);
        ASSERT_TRUE(mended);
        if (kind.is_qcow2) EXPECT_EQ(expect_sound(disk), 0u);
        auto image = opened(disk);
        EXPECT_TRUE(work.is_current(*image)) << work.difference;
    }
}

TEST_P(Writing, AFullHostGivesErrorsAndAFileThatIsSound) {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        const auto disk = make(kind, size);
        ASSERT_TRUE(disk);
        StampedDisk work{size, seed};
        auto image = opened(disk);
        work.adopt(*image);
        for (int round = 0; round < 5; ++round) {
            disk->writes_until_full = static_cast<int>(work.random() % 60);
            for (int step = 0; step < 60; ++step) {
                const int error = work.step(*image);
                ASSERT_TRUE(error == 0 || error == ENOSPC) << error << work.difference;
            }
            disk->is_full = false, disk->writes_until_full = -1;
            for (int step = 0; step < 20; ++step)
                ASSERT_EQ(work.step(*image), 0) << work.difference;
        }
        ASSERT_EQ(image->close(), 0);
        image.reset();
        expect_sound(disk);
        image = opened(disk);
        EXPECT_TRUE(work.is_current(*image)) << work.difference;
    }
}

TEST_P(Writing, ThreadsDoNotDisturbEachOther) {
    const auto disk = make(kind, size);
    ASSERT_TRUE(disk);
    auto image = opened(disk);
    constexpr std::uint64_t thread_count = 4;
    // Odd sectors, so that the parts share clusters.
    const std::uint64_t length = (size / thread_count / 512 - 3) * 512;
    std::vector<std::unique_ptr<StampedDisk>> works;
    works.reserve(thread_count);
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (std::uint64_t index = 0; index < thread_count; ++index) {
        works.push_back(std::make_unique<StampedDisk>(length, index + 1, 0, index * length / 512));
        threads.emplace_back([&, index] {
            Part part{*image, index * length, length};
            works[index]->adopt(part);
            for (int step = 0; step < 150; ++step)
                if (works[index]->step(part) != 0) ++failures;
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(failures, 0);
    for (std::uint64_t index = 0; index < thread_count; ++index) {
        Part part{*image, index * length, length};
        EXPECT_TRUE(works[index]->is_current(part)) << works[index]->difference;
    }
    ASSERT_EQ(image->close(), 0);
    image.reset();
    EXPECT_EQ(expect_sound(disk), 0u);
}

TEST_P(Writing, AnImageGrowsAndShrinks) {
    const auto disk = make(kind, size);
    ASSERT_TRUE(disk);
    auto image = opened(disk);
    if (image->resize(size + 512) != 0) GTEST_SKIP() << "this format does not";
    StampedDisk work{size, 5};
    work.adopt(*image);
    for (const std::uint64_t next : {size + (1 << 20), size / 2 + 512, size, size * 8, size}) {
        for (int step = 0; step < 50; ++step)
            ASSERT_EQ(work.step(*image), 0) << work.difference;
        ASSERT_EQ(image->resize(next), 0);
        ASSERT_EQ(image->size(), next);
        work.resize(next);
        ASSERT_TRUE(work.is_current(*image)) << "at " << next << ": " << work.difference;
    }
    EXPECT_EQ(image->resize(513), EINVAL);
    ASSERT_EQ(image->close(), 0);
    image.reset();
    EXPECT_EQ(expect_sound(disk), 0u);
    image = opened(disk);
    EXPECT_EQ(image->size(), size);
    EXPECT_TRUE(work.is_current(*image)) << work.difference;
}

INSTANTIATE_TEST_SUITE_P(, Writing, ::testing::ValuesIn(writable_kinds()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace backplane::images
