#include "runtime/io_loop.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <optional>
#include <thread>

namespace backplane::runtime {
namespace {

using namespace std::chrono_literals;
using Instant = std::chrono::steady_clock::time_point;

constexpr auto patience = 120s;
std::optional<Instant> no_alarm() { return std::nullopt; }

class IoLoopTest : public testing::Test {
protected:
    MachineLock lock;
    IoLoop loop{lock};
};

TEST_F(IoLoopTest, RunsPostedWorkWithTheMachineLockHeld) {
    loop.start(no_alarm);
    std::promise<bool> other_could_lock;
    loop.post([&] {
        other_could_lock.set_value(std::async(std::launch::async, [&] {
                                       const bool got = lock.try_lock();
                                       if (got) lock.unlock();
                                       return got;
                                   }).get());
    });
    auto result = other_could_lock.get_future();
    ASSERT_EQ(result.wait_for(patience), std::future_status::ready);
    EXPECT_FALSE(result.get());
}

TEST_F(IoLoopTest, CallsTheAlarmAtItsTimeAndSoonerWhenWoken) {
    int calls = 0;
    std::promise<void> second, third;
    loop.start([&]() -> std::optional<Instant> {
        ++calls;
        if (calls == 1) return Instant::clock::now() + 10ms;
        if (calls == 2) {
            second.set_value();
            return Instant::clock::now() + 1h;
        }
        if (calls == 3) third.set_value();
        return std::nullopt;
    });
    ASSERT_EQ(second.get_future().wait_for(patience), std::future_status::ready);
    auto done = third.get_future();
    EXPECT_EQ(done.wait_for(50ms), std::future_status::timeout);
    loop.wake();
    EXPECT_EQ(done.wait_for(patience), std::future_status::ready);
}

TEST_F(IoLoopTest, TellsOfInputUntilTheWatchStops) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    std::promise<char> first;
    std::atomic<int> calls = 0;
    std::shared_ptr<IoLoop::Watch> watch;
    loop.start(no_alarm);
    {
        const MachineGuard guard{lock};
        watch = loop.watch(ends[0], [&] {
            char byte = 0;
            ASSERT_EQ(read(ends[0], &byte, 1), 1);
            if (++calls == 1) first.set_value(byte);
            watch->stop();
        });
    }
    ASSERT_TRUE(watch);
    ASSERT_EQ(write(ends[1], "ab", 2), 2);
    auto result = first.get_future();
    ASSERT_EQ(result.wait_for(patience), std::future_status::ready);
    EXPECT_EQ(result.get(), 'a');
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(calls, 1) << "stopped although a byte is left";
    loop.stop();
    close(ends[0]);
    close(ends[1]);
}

TEST_F(IoLoopTest, RefusesAFileThatCannotBeWaitedFor) {
    FILE* file = std::tmpfile();
    EXPECT_FALSE(loop.watch(fileno(file), [] {}));
    std::fclose(file);
}

TEST_F(IoLoopTest, RepeatsWorkUntilItStops) {
    std::promise<void> third;
    std::atomic<int> calls = 0;
    loop.every(2ms, [&] {
        if (++calls == 3) third.set_value();
    });
    loop.start(no_alarm);
    EXPECT_EQ(third.get_future().wait_for(patience), std::future_status::ready);
    loop.stop();
    const int at_stop = calls;
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(calls, at_stop);
}

}  // namespace
}  // namespace backplane::runtime
