// What the kernel reads and writes by itself.
#include "io_ring.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <vector>

namespace backplane::storage {
namespace {

using Data = std::vector<char>;

class IoRingTest : public ::testing::Test {
protected:
    IoRingTest() {
        std::string name = ::testing::TempDir() + "io-ring-XXXXXX";
        file = mkostemp(name.data(), O_CLOEXEC);
        unlink(name.c_str());
        event = eventfd(0, EFD_CLOEXEC);
        ring = IoRing::open(event);
    }
    ~IoRingTest() override {
        ring.reset();
        close(file);
        close(event);
    }

    images::FileTask task(std::uint64_t offset, Data& data) const {
        return {.fd = file, .offset = offset, .segments = {{data.data(), data.size()}}};
    }
    // What comes of it.
    int run(IoRing::Direction direction, images::FileTask task) {
        std::optional<int> result;
        EXPECT_TRUE(ring->start(direction, task, [&](int error) { result = error; }));
        while (!result) {
            eventfd_t count = 0;
            EXPECT_EQ(eventfd_read(event, &count), 0);
            ring->deliver();
        }
        return *result;
    }

    int file, event;
    std::unique_ptr<IoRing> ring;
};

#define SKIP_WITHOUT_RING()                                                                        \
    if (ring == nullptr) GTEST_SKIP() << "this host has no io_uring"

TEST_F(IoRingTest, WritesAndReads) {
    SKIP_WITHOUT_RING();
    Data out(5000, 'x'), in(3000);
    EXPECT_EQ(run(IoRing::Direction::Write, task(100, out)), 0);
    EXPECT_EQ(run(IoRing::Direction::Read, task(1100, in)), 0);
    EXPECT_EQ(in, Data(3000, 'x'));
}

TEST_F(IoRingTest, SaysWhatFailed) {
    SKIP_WITHOUT_RING();
    Data data(512);
    auto bad = task(0, data);
    bad.fd = -1;
    EXPECT_EQ(run(IoRing::Direction::Read, bad), EBADF);
    EXPECT_EQ(ftruncate(file, 100), 0);
    EXPECT_EQ(run(IoRing::Direction::Read, task(0, data)), EAGAIN) << "not all of it was there";
    auto strict = task(0, data);
    strict.finish = [](int error) { return error == EAGAIN ? ENOSPC : 0; };
    EXPECT_EQ(run(IoRing::Direction::Read, strict), ENOSPC) << "as the task wants it";
}

TEST_F(IoRingTest, TakesNoMoreThanItHolds) {
    SKIP_WITHOUT_RING();
    // Nothing comes out of a pipe that nobody fills.
    std::array<int, 2> pipe{};
    ASSERT_EQ(pipe2(pipe.data(), O_CLOEXEC), 0);
    Data data(1);
    int started = 0, done = 0;
    for (; started < 1000; ++started) {
        images::FileTask waiting{.fd = pipe[0], .segments = {{data.data(), 1}}};
        if (!ring->start(IoRing::Direction::Read, waiting, [&](int) { ++done; })) {
            EXPECT_EQ(waiting.segments.size(), 1u) << "still the caller's";
            break;
        }
    }
    EXPECT_GE(started, 16);
    EXPECT_LT(started, 1000);
    ring->deliver();
    EXPECT_EQ(done, 0);
    close(pipe[1]);
    ring->finish_all();
    EXPECT_EQ(done, started);
    close(pipe[0]);
}

}  // namespace
}  // namespace backplane::storage
