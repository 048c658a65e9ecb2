// The registers by which a driver finds and runs a virtio device on PCI. (virtio 1.2, chapter 4.1)
#include "echo_bench.h"

namespace backplane::virtio {
namespace {

using ::testing::HasSubstr;

constexpr std::uint64_t modern = feature::version_1;
constexpr unsigned ready = 0x0f;

TEST(VirtioPciTest, IsKnownByItsIds) {
    EchoBench transitional;
    EXPECT_EQ(transitional.slot.read_config(0), 0x10291af4u);
    EXPECT_EQ(transitional.slot.read_config(8, 1), 0u);
    EXPECT_EQ(transitional.slot.read_config(0x2c), 42u << 16 | 0x1af4);
    EXPECT_EQ(transitional.slot.bar_size(0), 128u);
    EXPECT_EQ(transitional.slot.bar_size(4), 0x8000u);
    EchoBench modern_only{{{"transitional", false}}};
    EXPECT_EQ(modern_only.slot.read_config(0), (0x1040u + 42) << 16 | 0x1af4);
    EXPECT_EQ(modern_only.slot.read_config(8, 1), 1u);
    EXPECT_EQ(modern_only.slot.read_config(0x10), 0u) << "no ports";
}

TEST(VirtioPciTest, TellsWhereItsRegistersAre) {
    EchoBench bench;
    auto& driver = *bench.driver;
    for (const unsigned kind : {1u, 2u, 3u, 4u, 5u})
        EXPECT_TRUE(driver.capabilities.contains(kind)) << kind;
    EXPECT_NE(driver.message_capability, 0u);
    EXPECT_EQ(bench.slot.read_config(driver.message_capability + 2, 2) & 0x7ff, 2u)
        << "a message for each queue, and one";
    EXPECT_EQ(driver.common(0x12, 2), 2u);
    EXPECT_EQ(driver.config(0, 1), 7u);
    EXPECT_EQ(driver.config(200, 1), 0xeeu);
}

TEST(VirtioPciTest, FeaturesAreAgreedOnOnce) {
    EchoBench bench;
    auto& driver = *bench.driver;
    const std::uint64_t offered = driver.offered();
    EXPECT_EQ(offered, Echo::shout | feature::any_layout | feature::indirect_descriptors |
                           feature::event_index | modern | feature::ring_packed |
                           feature::ring_reset);
    driver.set_common(0, 4, 2);
    EXPECT_EQ(driver.common(4, 4), 0u) << "no features there";
    EXPECT_EQ(driver.negotiate(offered), offered);
    EXPECT_EQ(driver.negotiate(modern | bit(50)), 0u) << "not offered";
    EXPECT_EQ(driver.negotiate(Echo::shout), 0u) << "without VIRTIO_F_VERSION_1";
    EXPECT_EQ(driver.negotiate(modern), modern);
    driver.set_common(8, 4, 0);
    driver.set_common(0xc, 4, 0xffffffff);
    EXPECT_EQ(driver.common(0xc, 4), 0u) << "after FEATURES_OK they stay";
    EchoBench split{{{"packed", false}, {"transitional", false}}};
    EXPECT_EQ(split.driver->offered() & (feature::ring_packed | feature::any_layout), 0u);
}

TEST(VirtioPciTest, WhatWasAgreedOnHolds) {
    EchoBench bench;
    auto& queue = bench.begin(Echo::shout);
    bench.put(EchoBench::out, "loud");
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    bench.driver->notify(0);
    EXPECT_EQ(bench.text(EchoBench::in, 4), "LOUD");
}

TEST(VirtioPciTest, BuffersWaitUntilTheDriverIsReady) {
    EchoBench bench;
    auto& driver = *bench.driver;
    driver.negotiate(modern);
    auto& queue = driver.add_queue(1, EchoBench::base, 8);
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    driver.notify(1);
    EXPECT_EQ(queue.take_used(), std::nullopt);
    driver.ready();
    EXPECT_TRUE(queue.take_used().has_value());
    EXPECT_EQ(driver.status(), ready);
}

TEST(VirtioPciTest, BeingReadyWithoutFeaturesIsAMistake) {
    EchoBench bench{{{"transitional", false}}};
    bench.driver->set_status(0x07);
    EXPECT_TRUE(bench.needs_reset());
    bench.driver->set_status(0x0f);
    EXPECT_TRUE(bench.needs_reset()) << "only a reset takes it away";
    bench.driver->set_status(0);
    EXPECT_EQ(bench.driver->status(), 0);
}

TEST(VirtioPciTest, NothingMovesWhileItIsNotBusMaster) {
    EchoBench bench;
    auto& queue = bench.begin(0);
    bench.slot.write_config(pci::command, 2, pci::command_io | pci::command_memory);
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    bench.driver->notify(0);
    EXPECT_EQ(queue.take_used(), std::nullopt);
    bench.slot.enable();
    EXPECT_TRUE(queue.take_used().has_value()) << "what was made available before";
}

TEST(VirtioPciTest, ThePinTellsUntilTheStatusIsRead) {
    EchoBench bench;
    auto& queue = bench.begin(0);
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    bench.driver->notify(0);
    EXPECT_TRUE(bench.slot.pins[0]);
    EXPECT_EQ(bench.driver->interrupt_status(), 1);
    EXPECT_FALSE(bench.slot.pins[0]);
    EXPECT_EQ(bench.driver->interrupt_status(), 0);
    const auto generation = bench.driver->common(0x15, 1);
    bench.driver->set_config(0, 1, 99);
    EXPECT_TRUE(bench.slot.pins[0]);
    EXPECT_EQ(bench.driver->interrupt_status(), 2);
    EXPECT_NE(bench.driver->common(0x15, 1), generation);
    EXPECT_EQ(bench.driver->config(0, 1), 99u);
}

TEST(VirtioPciTest, QueuesHaveMessagesOfTheirOwn) {
    EchoBench bench;
    auto& driver = *bench.driver;
    driver.enable_messages(3);
    driver.negotiate(modern);
    driver.set_common(0x10, 2, 0);
    EXPECT_EQ(driver.common(0x10, 2), 0u);
    for (unsigned index = 0; index < 2; ++index) {
        auto& queue = driver.add_queue(index, EchoBench::base + index * 0x4000, 8);
        EXPECT_EQ(driver.common(0x1a, 2), 0xffffu);
        driver.set_common(0x1a, 2, index + 1);
        queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    }
    driver.set_common(0x1a, 2, 3);
    EXPECT_EQ(driver.common(0x1a, 2), 0xffffu) << "there is no such message";
    driver.set_common(0x1a, 2, 2);
    driver.ready();
    using Message = testing::FakePciSlot::Message;
    EXPECT_EQ(bench.slot.messages, (std::vector<Message>{{0xfee00000, 0x41}, {0xfee00000, 0x42}}));
    EXPECT_FALSE(bench.slot.pins[0]);
    EXPECT_EQ(driver.interrupt_status(), 0) << "only of the configuration, with messages";
    bench.slot.messages.clear();
    driver.set_config(0, 1, 99);
    EXPECT_EQ(bench.slot.messages, (std::vector<Message>{{0xfee00000, 0x40}}));
    // A queue without one makes no interrupt.
    driver.set_common(0x1a, 2, 0xffff);
    bench.slot.messages.clear();
    driver.queue(1).add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    driver.notify(1);
    EXPECT_TRUE(bench.slot.messages.empty());
}

TEST(VirtioPciTest, AResetForgetsEverything) {
    EchoBench bench;
    auto& driver = *bench.driver;
    const auto fresh = bench.device.save();
    driver.enable_messages(3);
    auto& queue = bench.begin(feature::ring_packed | Echo::shout);
    bench.put(EchoBench::out, "h");
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    driver.notify(0);
    driver.set_config(0, 1, 99);
    driver.set_common(0x10, 2, 1);
    driver.set_status(0);
    EXPECT_EQ(driver.status(), 0);
    EXPECT_EQ(driver.common(0x10, 2), 0xffffu);
    EXPECT_EQ(driver.common(0x1c, 2), 0u);
    EXPECT_EQ(driver.common(0x18, 2), 64u);
    EXPECT_EQ(driver.config(0, 1), 7u);
    EXPECT_EQ(driver.interrupt_status(), 0);
    bench.device.reset();
    auto reset = bench.device.save();
    // The generation counts on, so that no driver takes new for old.
    reset["config-generation"] = fresh.at("config-generation");
    bench.device.restore(reset);
    bench.slot.enable();
    EchoBench other;
    other.device.reset();
    other.slot.enable();
    EXPECT_EQ(testing::state_difference(bench.device.save(), other.device.save()), "");
}

TEST(VirtioPciTest, OneQueueIsResetAlone) {
    EchoBench bench;
    auto& driver = *bench.driver;
    bench.begin(feature::ring_reset);
    auto& other = driver.add_queue(1, EchoBench::base + 0x4000, 8);
    bench.put(EchoBench::out, "h");
    driver.queue(0).add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
    driver.notify(0);
    driver.set_common(0x16, 2, 0);
    driver.set_common(0x3a, 2, 1);
    EXPECT_EQ(driver.common(0x3a, 2), 0u) << "done at once";
    EXPECT_EQ(driver.common(0x1c, 2), 0u);
    bench.put(EchoBench::out, "r");
    other.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
    driver.notify(1);
    EXPECT_TRUE(other.take_used().has_value());
    auto& again = driver.add_queue(0, EchoBench::base, 16);
    again.add({{EchoBench::out, 1}, {EchoBench::in, 1, true}});
    driver.notify(0);
    EXPECT_TRUE(again.take_used().has_value());
    EXPECT_EQ(again.take_used(), std::nullopt) << "what was held is forgotten";
}

TEST(VirtioPciTest, RegistersTakeAccessesOfAnySize) {
    EchoBench bench;
    auto& driver = *bench.driver;
    driver.set_common(0x20, 8, 0x1122334455667780);
    EXPECT_EQ(driver.common(0x20, 8), 0x1122334455667780u);
    driver.set_common(0x21, 1, 0xaa);
    EXPECT_EQ(driver.common(0x20, 4), 0x5566aa80u);
    EXPECT_EQ(driver.common(0x22, 4), 0x33445566u);
    EXPECT_EQ(driver.common(0x12, 4), 0x00000002u | driver.common(0x15, 1) << 24);
    driver.set_common(0x16, 2, 5);
    EXPECT_EQ(driver.common(0x18, 2), 0u) << "there is no such queue";
    driver.set_common(0x20, 4, 0x1000);
    driver.set_common(0x1c, 2, 1);
    EXPECT_EQ(driver.common(0x20, 4), 0u);
    driver.notify(5);
    driver.notify(1000);
}

TEST(VirtioPciTest, FirmwareReachesRegistersThroughConfigurationSpace) {
    EchoBench bench;
    const unsigned window = bench.driver->capabilities[VirtioDriver::window_cap];
    const auto access = [&](std::uint32_t offset, std::uint32_t length, unsigned bar = 4) {
        bench.slot.write_config(window + 4, 1, bar);
        bench.slot.write_config(window + 8, 4, offset);
        bench.slot.write_config(window + 12, 4, length);
    };
    bench.slot.write_config(pci::command, 2, pci::command_master);  // no registers mapped
    access(0x12, 2);
    EXPECT_EQ(bench.slot.read_config(window + 16, 2), 2u);
    access(0x14, 1);
    bench.slot.write_config(window + 16, 1, 3);
    EXPECT_EQ(bench.slot.read_config(window + 16, 1), 3u);
    access(18, 1, 0);
    EXPECT_EQ(bench.slot.read_config(window + 16, 1), 3u) << "the legacy status";
    bench.slot.enable();
    EXPECT_EQ(bench.driver->status(), 3u);
    // Nonsense does nothing.
    for (const auto& [offset, length] : {std::pair{0x14u, 3u}, std::pair{0x7ffeu, 4u},
                                         std::pair{0x8000u, 1u}, std::pair{0xfffffffcu, 4u}}) {
        access(offset, length);
        bench.slot.write_config(window + 16, 4, 0);
        (void)bench.slot.read_config(window + 16, 4);
    }
    EXPECT_EQ(bench.driver->status(), 3u);
}

// ---- The legacy interface ----

class LegacyTest : public ::testing::Test {
protected:
    std::uint64_t in(unsigned port, unsigned bytes) {
        return bench.slot.io.read(VirtioDriver::legacy_at + port, bytes);
    }
    void out(unsigned port, unsigned bytes, std::uint64_t value) {
        bench.slot.io.write(VirtioDriver::legacy_at + port, bytes, value);
    }
    // As legacy drivers lay a queue out: the used ring begins a page.
    static constexpr std::uint64_t place = 0x20000, available = place + 16 * 64,
                                   used = place + 0x1000;
    void add(unsigned head) {
        auto& memory = bench.slot.memory;
        memory.write(place + head * 16, 8, EchoBench::out);
        memory.write(place + head * 16 + 8, 4, 4);
        memory.write(place + head * 16 + 12, 4, 1 | (head + 1) << 16);
        memory.write(place + head * 16 + 16, 8, EchoBench::in);
        memory.write(place + head * 16 + 24, 4, 4);
        memory.write(place + head * 16 + 28, 4, 2);
        const auto index = memory.read(available + 2, 2);
        memory.write(available + 4 + index % 64 * 2, 2, head);
        memory.write(available + 2, 2, index + 1);
    }

    EchoBench bench;
};

TEST_F(LegacyTest, RunsAQueueBeforeTheDriverIsReady) {
    out(18, 1, 0);
    out(18, 1, 3);
    EXPECT_EQ(in(0, 4), Echo::shout | feature::any_layout | feature::indirect_descriptors |
                            feature::event_index);
    out(4, 4, Echo::shout | bit(5));
    EXPECT_EQ(in(4, 4), Echo::shout) << "what is not offered is not taken";
    out(14, 2, 0);
    EXPECT_EQ(in(12, 2), 64u);
    EXPECT_EQ(in(8, 4), 0u);
    out(8, 4, place >> 12);
    EXPECT_EQ(in(8, 4), place >> 12);
    bench.put(EchoBench::out, "abcd");
    add(0);
    out(16, 2, 0);
    EXPECT_EQ(bench.slot.memory.read(used + 2, 2), 1u);
    EXPECT_EQ(bench.slot.memory.read(used + 8, 4), 4u);
    EXPECT_EQ(bench.text(EchoBench::in, 4), "ABCD");
    EXPECT_TRUE(bench.slot.pins[0]);
    EXPECT_EQ(in(19, 1), 1u);
    EXPECT_FALSE(bench.slot.pins[0]);
    out(18, 1, 7);
    EXPECT_EQ(in(18, 1), 7u);
    add(4);
    out(16, 2, 0);
    EXPECT_EQ(bench.slot.memory.read(used + 2, 2), 2u);
    out(8, 4, 0);
    add(8);
    out(16, 2, 0);
    EXPECT_EQ(bench.slot.memory.read(used + 2, 2), 2u) << "the queue is gone";
    out(18, 1, 0);
    EXPECT_EQ(in(18, 1), 0u);
}

TEST_F(LegacyTest, TheConfigurationMovesWhereThereAreMessages) {
    EXPECT_EQ(in(20, 1), 7u);
    out(20, 1, 9);
    EXPECT_EQ(in(20, 1), 9u);
    bench.driver->enable_messages(3);
    EXPECT_EQ(in(24, 1), 9u);
    out(20, 2, 2);
    out(22, 2, 1);
    EXPECT_EQ(in(20, 4), 0x00010002u);
    out(22, 2, 3);
    EXPECT_EQ(in(22, 2), 0xffffu);
    out(14, 2, 7);
    EXPECT_EQ(in(12, 2), 0u);
    EXPECT_EQ(in(22, 2), 0xffffu);
    out(8, 4, 1);
    out(16, 2, 7);
}

TEST_F(LegacyTest, MessagesOfLegacyQueues) {
    bench.driver->enable_messages(3);
    out(14, 2, 0);
    out(22, 2, 1);
    out(8, 4, place >> 12);
    EXPECT_EQ(in(22, 2), 1u);
    add(0);
    out(16, 2, 0);
    EXPECT_EQ(bench.slot.messages.size(), 1u);
    EXPECT_EQ(in(19, 1), 0u);
}

// ---- What a machine file can get wrong, and snapshots ----

TEST(VirtioPciTest, TooManyQueuesAreRefused) {
    DeviceBench device{Declaration<Echo>::device_type(), {{"queues", 4}}};
    testing::FakePciSlot slot;
    device.connect("slot", slot);
    EXPECT_FALSE(device.power_on());
    EXPECT_THAT(device.failure(), HasSubstr("cannot have 4 queues"));
}

TEST(VirtioPciTest, SurvivesASnapshot) {
    EchoBench first, second;
    first.driver->enable_messages(3);
    auto& queue = first.begin(feature::ring_packed | feature::event_index);
    for (int round = 0; round < 7; ++round) {
        queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
        first.driver->notify(0);
        queue.take_used();
    }
    second.slot.memory.memory = first.slot.memory.memory;
    EXPECT_EQ(testing::round_trip(first.device, second.device), "");
    queue.add({{EchoBench::out, 4}, {EchoBench::in, 4, true}});
    second.slot.memory.memory = first.slot.memory.memory;
    second.driver->notify(0);
    first.driver->notify(0);
    EXPECT_EQ(second.slot.memory.memory, first.slot.memory.memory);
    EXPECT_EQ(testing::state_difference(first.device.save(), second.device.save()), "");
}

}  // namespace
}  // namespace backplane::virtio
