// A process that writes to an image is killed at any moment: the file is sound, and has all that
// was flushed. BACKPLANE_KILLS says how often, for each kind of image.
#include "image_folder.h"
#include "images/check_image.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

namespace backplane::images {
namespace {

using namespace testing;

constexpr std::uint64_t size = 16 << 20, sector = 512, sectors = size / sector;

// What both processes know: of each sector the last stamp that was to be written, and the one that
// was flushed.
struct Log {
    std::atomic<std::uint64_t> wanted[sectors], flushed[sectors];
    std::atomic<std::uint64_t> stamp, flushes;
    std::atomic<int> error;
    std::atomic<bool> has_started;
};

void fill(std::uint64_t* words, std::uint64_t index, std::uint64_t stamp) {
    words[0] = stamp;
    for (std::size_t at = 1; at < sector / 8; ++at)
        words[at] = stamp == 0 ? 0 : stamp * 0x9e3779b97f4a7c15 + index * 64 + at;
}

struct Victim {
    std::string name;  // of the file; says its format
    CreateOptions options = {};
    Caching caching = Caching::Writeback;
};

void PrintTo(const Victim& victim, std::ostream* out) { *out << victim.name; }

class Kill : public ImageFolder, public ::testing::WithParamInterface<Victim> {
protected:
    // Until it is killed.
    [[noreturn]] void work(Log& log, std::uint64_t seed) const {
        OpenOptions options;
        options.access = FileAccess::ReadWrite;
        options.caching = GetParam().caching;
        auto opened = open_image(at(GetParam().name), options);
        if (!opened) {
            log.error = 1;
            _exit(1);
        }
        ImageStorage& image = *opened->storage;
        std::mt19937_64 random{seed};
        std::vector<std::uint64_t> data;
        log.has_started = true;
        for (;;) {
            const std::uint64_t first = random() % sectors;
            const std::uint64_t length = std::min(sectors - first,
                                                  1 + random() % (random() % 8 == 0 ? 400 : 20));
            const std::uint64_t stamp = ++log.stamp;
            data.resize(length * sector / 8);
            for (std::uint64_t at = 0; at < length; ++at) {
                fill(data.data() + at * sector / 8, first + at, stamp);
                log.wanted[first + at] = stamp;
            }
            const iovec segment{data.data(), data.size() * 8};
            int error = stamp % 2 == 0 ? image.try_write(first * sector, {&segment, 1}) : EAGAIN;
            if (error == EAGAIN)
                error = image.write(first * sector, {&segment, 1}, Durability::Cached);
            if (error != 0) log.error = error;
            if (random() % 6 != 0) continue;
            if (const int error = image.flush()) log.error = error;
            for (std::uint64_t at = 0; at < sectors; ++at)
                log.flushed[at] = log.wanted[at].load();
            ++log.flushes;
        }
    }

    void expect_all_that_was_flushed(Log& log) const {
        auto image = open(GetParam().name);
        ASSERT_TRUE(image.storage);
        std::vector<std::uint64_t> data(size / 8), expected(sector / 8);
        const iovec segment{data.data(), size};
        ASSERT_EQ(image.storage->read(0, {&segment, 1}, Waiting::Yes), 0);
        for (std::uint64_t at = 0; at < sectors; ++at) {
            const std::uint64_t* words = data.data() + at * sector / 8;
            fill(expected.data(), at, words[0]);
            ASSERT_TRUE(std::equal(expected.begin(), expected.end(), words)) << "sector " << at;
            ASSERT_GE(words[0], log.flushed[at]) << "sector " << at << " lost what was flushed";
            ASSERT_LE(words[0], log.wanted[at]) << "sector " << at;
            // Later rounds start from what is there.
            log.flushed[at] = log.wanted[at] = words[0];
        }
    }

    void expect_sound() const {
        const auto report = check_image(at(GetParam().name), Format::Auto, Repair::Nothing);
        ASSERT_TRUE(report) << report.error();
        ASSERT_EQ(report->errors, 0u) << report->findings[0];
        if (!GetParam().name.ends_with(".qcow2") || !has_qemu) return;
        const Ran ran = run("qemu-img check " + GetParam().name);
        constexpr int only_leaks = 3;
        ASSERT_TRUE(ran.status == 0 || ran.status == only_leaks) << ran.output;
    }

    // Opening and closing mends what was left behind.
    void close_in_order() const {
        auto image = open(GetParam().name, FileAccess::ReadWrite);
        ASSERT_EQ(image.storage->close(), 0);
    }

    bool has_qemu = has_qemu_img();
};

TEST_P(Kill, NothingThatWasFlushedIsLost) {
    const char* wanted = std::getenv("BACKPLANE_KILLS");
    const int rounds = wanted != nullptr ? std::atoi(wanted) : 50;
    CreateOptions options = GetParam().options;
    options.size = size;
    if (!options.backing.empty()) create(options.backing, {.size = size});
    create(GetParam().name, options);
    const auto usable = HostFile::open(at(GetParam().name), FileAccess::ReadOnly, Locking::No,
                                       GetParam().caching);
    if (!usable) GTEST_SKIP() << usable.error();
    auto* log = static_cast<Log*>(
        mmap(nullptr, sizeof(Log), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(log, MAP_FAILED);
    std::mt19937_64 random{7};
    for (int round = 0; round < rounds; ++round) {
        log->has_started = false;
        const pid_t child = fork();
        ASSERT_GE(child, 0);
        if (child == 0) work(*log, random());
        while (!log->has_started && log->error == 0)
            std::this_thread::sleep_for(std::chrono::microseconds{50});
        std::this_thread::sleep_for(std::chrono::microseconds{random() % 12'000});
        // A busy host may have executed next to nothing of it so far.
        while (round == 0 && log->flushes == 0 && log->error == 0)
            std::this_thread::sleep_for(std::chrono::milliseconds{1});
        kill(child, SIGKILL);
        ASSERT_EQ(waitpid(child, nullptr, 0), child);
        ASSERT_EQ(log->error, 0);
        if (options.has_lazy_refcounts) close_in_order();
        expect_sound();
        expect_all_that_was_flushed(*log);
        if (HasFailure()) FAIL() << "after " << round << " kills";
        // The image grows old, but not without end.
        if (round % 25 == 24) {
            const std::uint64_t stamp = log->stamp;
            fs::remove(at(GetParam().name));
            create(GetParam().name, options);
            for (std::uint64_t at = 0; at < sectors; ++at)
                log->flushed[at] = log->wanted[at] = 0;
            log->stamp = stamp;
        }
    }
    EXPECT_GT(log->flushes, 0u);
    munmap(log, sizeof(Log));
}

INSTANTIATE_TEST_SUITE_P(
    , Kill,
    ::testing::Values(Victim{"raw.img"}, Victim{"plain.qcow2"},
                      Victim{"small.qcow2", {.cluster_size = 4096}},
                      Victim{"old.qcow2", {.version = 2, .cluster_size = 16384}},
                      Victim{"lazy.qcow2", {.cluster_size = 4096, .has_lazy_refcounts = true}},
                      Victim{"above.qcow2", {.backing = "below.qcow2"}}, Victim{"dynamic.vhd"},
                      Victim{"fixed.vhd", {.is_fixed = true}},
                      Victim{"differencing.vhd", {.backing = "below.vhd"}},
                      Victim{"direct.img", {}, Caching::None},
                      Victim{"direct.qcow2", {.cluster_size = 4096}, Caching::None},
                      Victim{"direct.vhd", {.is_fixed = true}, Caching::None},
                      Victim{"unsafe.qcow2", {}, Caching::Unsafe}),
    [](const auto& info) {
        std::string name = info.param.name;
        std::ranges::replace(name, '.', '_');
        return name;
    });

}  // namespace
}  // namespace backplane::images
