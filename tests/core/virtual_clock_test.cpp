#include "runtime/virtual_clock.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace backplane::runtime {
namespace {

struct FakeTime final : TimeSource {
    std::uint64_t time = 0;
    [[nodiscard]] std::uint64_t now() const override { return time; }
};

class VirtualClockTest : public testing::Test {
protected:
    FakeTime time;
    int sooner = 0;
    VirtualClock clock{time, [this] { ++sooner; }};
    std::string expired;
    struct Alarm {
        std::string* log;
        char letter;
        std::function<void()> then = {};
    };
    static void note(void* user) {
        auto& alarm = *static_cast<Alarm*>(user);
        *alarm.log += alarm.letter;
        if (alarm.then) alarm.then();
    }
    Alarm a{&expired, 'a'}, b{&expired, 'b'};
};

TEST_F(VirtualClockTest, RunsTimersInOrderOfDeadline) {
    auto& first = clock.create_timer("a", note, &a);
    auto& second = clock.create_timer("b", note, &b);
    clock.start(second, 20);
    clock.start(first, 10);
    EXPECT_EQ(clock.next_deadline(), 10u);
    clock.run_due();
    EXPECT_EQ(expired, "");
    time.time = 25;
    clock.run_due();
    EXPECT_EQ(expired, "ab");
    EXPECT_EQ(clock.next_deadline(), std::nullopt);
}

TEST_F(VirtualClockTest, KeepsTheOrderOfStartingBetweenEqualDeadlines) {
    auto& first = clock.create_timer("a", note, &a);
    auto& second = clock.create_timer("b", note, &b);
    clock.start(second, 10);
    clock.start(first, 10);
    time.time = 10;
    clock.run_due();
    EXPECT_EQ(expired, "ba");
}

TEST_F(VirtualClockTest, RunsWhatAnExpiringTimerStarts) {
    auto& first = clock.create_timer("a", note, &a);
    auto& second = clock.create_timer("b", note, &b);
    a.then = [&] { clock.start(second, 12); };
    clock.start(first, 10);
    time.time = 15;
    clock.run_due();
    EXPECT_EQ(expired, "ab");
}

TEST_F(VirtualClockTest, ReturnsEvenIfATimerAlwaysStartsAgainAtOnce) {
    auto& first = clock.create_timer("a", note, &a);
    a.then = [&] { clock.start(first, 0); };
    clock.start(first, 0);
    clock.run_due();
    EXPECT_FALSE(expired.empty());
    EXPECT_EQ(clock.next_deadline(), 0u);
}

TEST_F(VirtualClockTest, ForgetsAStoppedTimer) {
    auto& first = clock.create_timer("a", note, &a);
    clock.start(first, 10);
    clock.stop(first);
    time.time = 100;
    clock.run_due();
    EXPECT_EQ(expired, "");
}

TEST_F(VirtualClockTest, TellsWhenTheEarliestDeadlineMovesForward) {
    auto& first = clock.create_timer("a", note, &a);
    auto& second = clock.create_timer("b", note, &b);
    clock.start(first, 100);
    EXPECT_EQ(sooner, 1);
    clock.start(second, 200);
    EXPECT_EQ(sooner, 1);
    clock.start(second, 50);
    EXPECT_EQ(sooner, 2);
}

TEST(InstructionTime, FollowsTheInstructionsExactly) {
    std::uint64_t retired = 0;
    const InstructionTime time{3'000'000'000,
                               [&] { return retired; }};  // a third of a nanosecond each
    retired = 3'000'000'001;
    EXPECT_EQ(time.now(), 1'000'000'000u);
    EXPECT_EQ(time.instructions_until(1'000'000'001), 2u);
    retired += time.instructions_until(1'000'000'001);
    EXPECT_EQ(time.now(), 1'000'000'001u);
}

TEST(InstructionTime, ReachesADeadlineWithTheCountItGives) {
    std::uint64_t retired = 12'345;
    const InstructionTime time{1'193'182, [&] { return retired; }};
    for (std::uint64_t deadline = time.now() + 1; deadline < 100'000'000; deadline += 999'983) {
        const std::uint64_t count = time.instructions_until(deadline);
        retired += count - 1;
        EXPECT_LT(time.now(), deadline);
        retired += 1;
        EXPECT_GE(time.now(), deadline);
    }
}

TEST(InstructionTime, PassesWithoutInstructionsWhileAllAreHalted) {
    std::uint64_t retired = 1000;
    InstructionTime time{1'000'000'000, [&] { return retired; }};
    time.skip_to(5'000);
    EXPECT_EQ(time.now(), 5'000u);
    retired += 10;
    EXPECT_EQ(time.now(), 5'010u);
    time.skip_to(4'000);
    EXPECT_EQ(time.now(), 5'010u) << "never backwards";
}

}  // namespace
}  // namespace backplane::runtime
