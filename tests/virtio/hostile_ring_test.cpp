// Rings that no driver makes: the device asks to be reset, says so once, and does no harm.
#include "echo_bench.h"

#include <random>

namespace backplane::virtio {
namespace {

using ::testing::HasSubstr;

// Notifies, and expects a device that cannot go on, for the reason given.
void expect_failure(EchoBench& bench, const std::string& why) {
    bench.driver->notify(0);
    EXPECT_TRUE(bench.needs_reset()) << why;
    EXPECT_EQ(bench.driver->interrupt_status() & 2, 2) << "a change of the configuration";
    bench.driver->notify(0);
    ASSERT_EQ(bench.warnings(), 1u);
    EXPECT_THAT(bench.device.host().log_lines.back().text, HasSubstr(why));
    // After a reset all is well again.
    bench.device.host().log_lines.clear();
    auto& queue = bench.begin(0);
    bench.put(EchoBench::out, "x");
    queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
    bench.driver->notify(0);
    EXPECT_TRUE(queue.take_used().has_value());
    EXPECT_FALSE(bench.needs_reset());
}

class HostileSplitRingTest : public ::testing::Test {
protected:
    void add(std::uint16_t head) {
        queue->write16(queue->driver_area + 4, head);
        queue->write16(queue->driver_area + 2, 1);
    }
    void describe(unsigned index, std::uint64_t address, std::uint32_t length, unsigned flags,
                  unsigned next = 0, std::uint64_t table = 0) {
        queue->write_descriptor((table != 0 ? table : queue->descriptors) + index * 16, address,
                                length, static_cast<std::uint16_t>(flags),
                                static_cast<std::uint16_t>(next));
    }

    EchoBench bench;
    VirtioDriverQueue* queue = &bench.begin(feature::indirect_descriptors);
    static constexpr unsigned next = 1, write = 2, indirect = 4;
    static constexpr std::uint64_t table = 0x60000;
};

TEST_F(HostileSplitRingTest, AHeadBeyondTheTable) {
    add(8);
    expect_failure(bench, "queue 0: a descriptor beyond the table");
}

TEST_F(HostileSplitRingTest, ALinkBeyondTheTable) {
    describe(0, EchoBench::out, 1, next, 0xffff);
    add(0);
    expect_failure(bench, "a descriptor beyond the table");
}

TEST_F(HostileSplitRingTest, ALoop) {
    describe(0, EchoBench::out, 1, next, 1);
    describe(1, EchoBench::out, 1, next, 0);
    add(0);
    expect_failure(bench, "longer than the ring");
}

TEST_F(HostileSplitRingTest, MoreAvailableThanThereIs) {
    queue->write16(queue->driver_area + 2, 9);
    expect_failure(bench, "more is available than the ring holds");
}

TEST_F(HostileSplitRingTest, MoreInFlightThanThereIs) {
    bench.put(EchoBench::out, "h");
    describe(0, EchoBench::out, 1, 0);
    for (unsigned entry = 0; entry < 8; ++entry)
        queue->write16(queue->driver_area + 4 + 2 * entry, 0);
    queue->write16(queue->driver_area + 2, 8);
    bench.driver->notify(0);
    EXPECT_FALSE(bench.needs_reset()) << "odd, but it can be told apart";
    queue->write16(queue->driver_area + 2, 9);
    expect_failure(bench, "more chains are in flight than the ring holds");
}

TEST_F(HostileSplitRingTest, ReadableAfterWritable) {
    describe(0, EchoBench::in, 1, next | write, 1);
    describe(1, EchoBench::out, 1, 0);
    add(0);
    expect_failure(bench, "a buffer to read comes after one to write");
}

TEST_F(HostileSplitRingTest, BeyondTheLastAddress) {
    describe(0, ~std::uint64_t{0} - 3, 5, 0);
    add(0);
    expect_failure(bench, "beyond the last address");
}

TEST_F(HostileSplitRingTest, MoreThanAChainMayHave) {
    describe(0, 0, 0xffffffff, next, 1);
    describe(1, 0, 2, 0);
    add(0);
    expect_failure(bench, "more than 2^32 bytes");
}

TEST_F(HostileSplitRingTest, TablesOfNoPossibleLength) {
    for (const std::uint32_t length : {0u, 15u, 17u, 257u * 16u, 0xfffffff0u}) {
        bench.device.host().log_lines.clear();
        queue = &bench.begin(feature::indirect_descriptors);
        describe(0, table, length, indirect);
        add(0);
        expect_failure(bench, "an indirect table");
    }
}

TEST_F(HostileSplitRingTest, ATableInATable) {
    describe(0, table, 32, indirect);
    describe(0, EchoBench::out, 1, next, 1, table);
    describe(1, table, 32, indirect, 0, table);
    add(0);
    expect_failure(bench, "an indirect descriptor in an indirect table");
}

TEST_F(HostileSplitRingTest, ATableThatLoops) {
    describe(0, table, 32, indirect);
    describe(0, EchoBench::out, 1, next, 1, table);
    describe(1, EchoBench::out, 1, next, 0, table);
    add(0);
    expect_failure(bench, "longer than its table");
}

TEST_F(HostileSplitRingTest, ATableThatLeavesItself) {
    describe(0, table, 32, indirect);
    describe(0, EchoBench::out, 1, next, 2, table);
    add(0);
    expect_failure(bench, "beyond its table");
}

TEST_F(HostileSplitRingTest, ATableThatIsNotTheEnd) {
    describe(0, table, 32, indirect | next, 1);
    add(0);
    expect_failure(bench, "is not the last of its chain");
}

TEST_F(HostileSplitRingTest, ATableAfterOtherDescriptorsIsAllowed) {
    bench.put(EchoBench::out, "xyz");
    describe(0, EchoBench::out, 1, next, 3);
    describe(3, table, 32, indirect);
    describe(0, EchoBench::out + 1, 2, next, 1, table);
    describe(1, EchoBench::in, 9, write, 0, table);
    add(0);
    bench.driver->notify(0);
    EXPECT_EQ(queue->take_used(), (testing::VirtioUsed{0, 3}));
    EXPECT_EQ(bench.text(EchoBench::in, 3), "xyz");
}

TEST(HostileRingTest, TablesThatWereNotAgreedOn) {
    for (const std::uint64_t features : {std::uint64_t{0}, feature::ring_packed}) {
        EchoBench bench;
        bench.begin(features).add({{EchoBench::out, 1}}, true);
        expect_failure(bench, "was not agreed on");
    }
}

TEST(HostileRingTest, APackedChainWithoutEnd) {
    EchoBench bench;
    auto& queue = bench.begin(feature::ring_packed);
    for (unsigned index = 0; index < 8; ++index)
        queue.write_descriptor(queue.descriptors + index * 16, EchoBench::out, 1, 0, 0x0081);
    expect_failure(bench, "longer than the ring");
}

TEST(HostileRingTest, APackedChainIntoWhatIsInFlight) {
    EchoBench bench;
    auto& queue = bench.begin(feature::ring_packed, 4);
    bench.put(EchoBench::out, "h");
    queue.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
    bench.driver->notify(0);
    EXPECT_FALSE(bench.needs_reset());
    for (const unsigned index : {2u, 3u, 0u})
        queue.write_descriptor(queue.descriptors + index * 16, EchoBench::out, 1, 1, 0x0081);
    expect_failure(bench, "longer than the ring");
}

TEST(HostileRingTest, QueuesWhereNoMemoryIs) {
    // All ones: an index far ahead, or descriptors with all flags.
    for (const std::uint64_t features : {std::uint64_t{0}, feature::ring_packed}) {
        EchoBench bench;
        bench.driver->negotiate(features | feature::version_1);
        bench.driver->add_queue(0, 0x90000000, 8);
        bench.driver->ready();
        bench.driver->notify(0);
        bench.driver->notify(0);
        EXPECT_LE(bench.warnings(), 1u);
        bench.driver->set_status(0);
        EXPECT_EQ(bench.driver->status(), 0);
    }
}

TEST(HostileRingTest, QueuesOfNoPossibleSizeOrPlace) {
    const auto enable = [](std::uint64_t features, unsigned size, std::uint64_t descriptors) {
        EchoBench bench;
        bench.driver->negotiate(features | feature::version_1);
        bench.driver->set_common(0x16, 2, 0);
        bench.driver->set_common(0x18, 2, size);
        bench.driver->set_common(0x20, 4, descriptors);
        bench.driver->set_common(0x1c, 2, 1);
        return bench.driver->common(0x1c, 2) == 1;
    };
    EXPECT_TRUE(enable(0, 8, 0x1000));
    EXPECT_FALSE(enable(0, 8, 0x1008));
    EXPECT_FALSE(enable(0, 7, 0x1000)) << "no power of two";
    EXPECT_TRUE(enable(feature::ring_packed, 7, 0x1000));
    EXPECT_FALSE(enable(0, 0, 0x1000));
    EXPECT_TRUE(enable(0, 9999, 0x1000)) << "too large a size is not taken";
}

// Buffers and rings over the device's own registers: it does not answer itself.
TEST(HostileRingTest, TheDeviceDoesNotTalkToItself) {
    for (const std::uint64_t features : {std::uint64_t{0}, feature::ring_packed}) {
        EchoBench bench;
        auto& queue = bench.begin(features);
        // Zeroes for the status register would reset the device, and anything notifies it.
        for (const std::uint32_t at : {0x0014u, 0x3000u, 0x2000u, 0x1000u}) {
            queue.add({{EchoBench::out, 4}, {VirtioDriver::registers_at + at, 4, true}});
            bench.driver->notify(0);
            EXPECT_EQ(queue.take_used()->length, 4u);
        }
        EXPECT_EQ(bench.driver->status(), 0x0f);
        bench.driver->add_queue(1, VirtioDriver::registers_at, 8);
        bench.driver->notify(1);
    }
}

// Any bytes at all, as rings of either layout: the device ends up idle or asks for a reset.
TEST(HostileRingTest, RandomRings) {
    std::mt19937 random{20220701};
    EchoBench bench;
    for (int round = 0; round < 3000; ++round) {
        std::uint64_t features = random() % 2 ? feature::ring_packed : 0;
        if (random() % 2) features |= feature::event_index;
        if (random() % 4) features |= feature::indirect_descriptors;
        auto& queue = bench.begin(features, static_cast<std::uint16_t>(1u << random() % 4));
        for (int step = 0; step < 4; ++step) {
            for (std::uint64_t at = queue.descriptors; at < queue.device_area; at += 2) {
                const auto kind = random() % 8;
                queue.write16(at, kind < 3 ? 0 : kind < 6 ? random() % 16 : random());
            }
            queue.write16(queue.driver_area + 2, step * 2);
            bench.driver->notify(0);
        }
    }
}

}  // namespace
}  // namespace backplane::virtio
