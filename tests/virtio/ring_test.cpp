// Both ring layouts, as drivers use them. (virtio 1.2, chapters 2.7 and 2.8)
#include "echo_bench.h"

namespace backplane::virtio {
namespace {

using ::testing::Values;

class RingTest : public ::testing::TestWithParam<std::uint64_t> {
protected:
    std::uint64_t with(std::uint64_t more = 0) const { return GetParam() | more; }
};

INSTANTIATE_TEST_SUITE_P(Layouts, RingTest,
                         Values(0, feature::event_index, feature::ring_packed,
                                feature::ring_packed | feature::event_index),
                         [](const auto& info) {
                             const bool packed = (info.param & feature::ring_packed) != 0;
                             const bool events = (info.param & feature::event_index) != 0;
                             return std::string{packed ? "Packed" : "Split"} +
                                    (events ? "WithEvents" : "");
                         });

TEST_P(RingTest, GathersAndScattersAsTheDriverCutsIt) {
    EchoBench bench;
    auto& queue = bench.begin(with());
    bench.put(EchoBench::out, "abcdefghij");
    const auto id = queue.add({{EchoBench::out, 3},
                               {EchoBench::out + 3, 0},
                               {EchoBench::out + 3, 7},
                               {EchoBench::in, 1, true},
                               {EchoBench::in + 100, 2, true},
                               {EchoBench::in + 200, 50, true}});
    EXPECT_EQ(queue.take_used(), std::nullopt) << "nobody told the device";
    bench.driver->notify(0);
    EXPECT_EQ(queue.take_used(), (testing::VirtioUsed{id, 10}));
    EXPECT_EQ(queue.take_used(), std::nullopt);
    EXPECT_EQ(bench.text(EchoBench::in, 1) + bench.text(EchoBench::in + 100, 2) +
                  bench.text(EchoBench::in + 200, 7),
              "abcdefghij");
}

TEST_P(RingTest, TakesWholeChainsFromTables) {
    EchoBench bench;
    auto& queue = bench.begin(with(feature::indirect_descriptors), 4);
    std::vector<VirtioBuffer> buffers;
    std::string expected;
    for (unsigned index = 0; index < 20; ++index) {
        bench.put(EchoBench::out + index * 16, {static_cast<char>('a' + index)});
        expected += static_cast<char>('a' + index);
        buffers.push_back({EchoBench::out + index * 16, 1});
    }
    buffers.push_back({EchoBench::in, 64, true});
    for (int round = 0; round < 9; ++round) {
        const auto id = queue.add(buffers, true);
        bench.driver->notify(0);
        EXPECT_EQ(queue.take_used(), (testing::VirtioUsed{id, 20})) << round;
        EXPECT_EQ(bench.text(EchoBench::in, 20), expected);
        bench.put(EchoBench::in, std::string(20, '.'));
    }
}

TEST_P(RingTest, GoesRoundTheRingAgainAndAgain) {
    EchoBench bench;
    auto& queue = bench.begin(with(feature::indirect_descriptors));
    unsigned done = 0;
    for (unsigned round = 0; round < 40000 / 8; ++round) {
        // As many as there is room for, of 2 to 4 descriptors or a table.
        const unsigned chains = 1 + round % 2;
        for (unsigned chain = 0; chain < chains; ++chain) {
            const std::uint64_t at = EchoBench::out + chain * 16;
            bench.put(at, std::to_string(round + chain));
            std::vector<VirtioBuffer> buffers{{at, 5}, {EchoBench::in + chain * 16, 5, true}};
            if (round % 3 == 1) buffers.insert(buffers.begin() + 1, {at + 5, 0});
            if (round % 3 == 2) buffers.push_back({EchoBench::in, 0, true});
            queue.add(buffers, round % 5 == 0);
        }
        bench.driver->notify(0);
        for (unsigned chain = 0; chain < chains; ++chain) {
            const auto used = queue.take_used();
            ASSERT_TRUE(used.has_value()) << "round " << round;
            ASSERT_EQ(used->length, 5u);
            ASSERT_EQ(bench.text(EchoBench::in + chain * 16, 5),
                      bench.text(EchoBench::out + chain * 16, 5));
            ++done;
        }
        ASSERT_FALSE(bench.needs_reset());
    }
    EXPECT_EQ(done, 7500u);
}

TEST_P(RingTest, GivesChainsBackInAnyOrder) {
    EchoBench bench;
    auto& queue = bench.begin(with());
    for (int round = 0; round < 20; ++round) {
        bench.put(EchoBench::out, "h1h2 r");
        const auto first = queue.add({{EchoBench::out, 2}, {EchoBench::in, 2, true}});
        const auto second = queue.add({{EchoBench::out + 2, 2}, {EchoBench::in + 2, 2, true}});
        const auto third = queue.add({{EchoBench::out + 4, 1}, {EchoBench::in + 4, 1, true}});
        bench.driver->notify(0);
        EXPECT_EQ(queue.take_used()->id, third) << "the only one not held";
        EXPECT_EQ(queue.take_used(), std::nullopt);
        const auto last = queue.add({{EchoBench::out + 5, 1}, {EchoBench::in + 5, 1, true}});
        bench.driver->notify(0);
        EXPECT_EQ(queue.take_used()->id, last);
        EXPECT_EQ(queue.take_used()->id, second);
        EXPECT_EQ(queue.take_used()->id, first);
        EXPECT_EQ(bench.text(EchoBench::in, 6), "h1h2 r");
    }
    EXPECT_FALSE(bench.needs_reset());
}

TEST_P(RingTest, WhatWasInFlightIsTakenAgainAfterASnapshot) {
    EchoBench bench, other;
    auto& queue = bench.begin(with(feature::indirect_descriptors));
    // The ring has turned before, and of three chains the one in the middle is done.
    for (int round = 0; round < 5; ++round) {
        queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
        bench.driver->notify(0);
        queue.take_used();
    }
    bench.put(EchoBench::out, "h1 h2r");
    const auto first = queue.add({{EchoBench::out, 2}, {EchoBench::in, 2, true}});
    const auto second = queue.add({{EchoBench::out + 2, 1}, {EchoBench::in + 2, 1, true}});
    const auto third = queue.add({{EchoBench::out + 3, 2}, {EchoBench::in + 3, 2, true}}, true);
    bench.driver->notify(0);
    EXPECT_EQ(queue.take_used()->id, second);

    other.slot.memory.memory = bench.slot.memory.memory;
    other.device.restore(bench.device.save());
    other.device.host().run_posted();
    EXPECT_EQ(testing::state_difference(bench.device.save(), other.device.save()), "");
    const auto last = queue.add({{EchoBench::out + 5, 1}, {EchoBench::in + 5, 1, true}});
    other.slot.memory.memory = bench.slot.memory.memory;
    other.driver->notify(0);
    bench.driver->notify(0);
    EXPECT_EQ(bench.slot.memory.memory, other.slot.memory.memory);
    EXPECT_EQ(queue.take_used()->id, last);
    EXPECT_EQ(queue.take_used()->id, third);
    EXPECT_EQ(queue.take_used()->id, first);
    EXPECT_EQ(bench.text(EchoBench::in, 6), "h1 h2r");
    EXPECT_EQ(testing::state_difference(bench.device.save(), other.device.save()), "");
}

TEST_P(RingTest, InterruptsOnlyWhereTheDriverWantsIt) {
    EchoBench bench;
    auto& queue = bench.begin(with());
    const auto interrupts_for_one = [&] {
        queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
        bench.driver->notify(0);
        EXPECT_TRUE(queue.take_used().has_value());
        return (bench.driver->interrupt_status() & 1) != 0;
    };
    const bool by_flags = queue.is_packed || !queue.has_events;
    if (by_flags) {
        EXPECT_TRUE(interrupts_for_one());
        queue.set_interrupts(false);
        EXPECT_FALSE(interrupts_for_one());
        queue.set_interrupts(true);
        EXPECT_TRUE(interrupts_for_one());
    }
    if (!queue.has_events) return;
    // Around the ring several times: packed rings count the slots, of which a chain has two.
    const std::uint16_t step = queue.is_packed ? 2 : 1;
    for (int round = 0; round < 20; ++round) {
        queue.interrupt_after(static_cast<std::uint16_t>(2 * step));
        EXPECT_FALSE(interrupts_for_one()) << round;
        EXPECT_FALSE(interrupts_for_one()) << round;
        EXPECT_TRUE(interrupts_for_one()) << round;
        EXPECT_FALSE(interrupts_for_one()) << "not asked for again";
    }
}

TEST_P(RingTest, AFullRingGivenBackAtOnceInterrupts) {
    EchoBench bench;
    auto& queue = bench.begin(with(), 8);
    queue.interrupt_after(0);
    if (!queue.has_events) queue.set_interrupts(true);
    for (int round = 0; round < 3; ++round) {
        for (int chain = 0; chain < 4; ++chain)
            queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
        if (queue.has_events) queue.interrupt_after(static_cast<std::uint16_t>(round));
        bench.driver->notify(0);
        for (int chain = 0; chain < 4; ++chain)
            EXPECT_TRUE(queue.take_used().has_value());
        EXPECT_EQ(bench.driver->interrupt_status(), 1) << round;
    }
}

TEST_P(RingTest, AsksToBeNotifiedOfTheNextChain) {
    EchoBench bench;
    auto& queue = bench.begin(with());
    for (int round = 0; round < 10; ++round) {
        queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
        EXPECT_TRUE(queue.must_notify()) << round;
        bench.driver->notify(0);
        queue.notified();
        EXPECT_TRUE(queue.take_used().has_value());
        if (!queue.is_packed || !queue.has_events) continue;
        // The place of the next chain, with the wrap counter of that round.
        const unsigned next = 2u * (round + 1);
        const unsigned wrap = next / 8 % 2 == 0 ? 0x8000 : 0;
        EXPECT_EQ(queue.read16(queue.device_area), next % 8 | wrap);
        EXPECT_EQ(queue.read16(queue.device_area + 2), 2);
    }
}

}  // namespace
}  // namespace backplane::virtio
