// The example plugins, built by gcc and g++ against the installed SDK, each driven on its own.
#include "runtime/plugin_registry.h"
#include "support/paths.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/virtio_driver.h>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::test {

namespace {

using namespace std::chrono_literals;
using testing::DeviceBench;

using Levels = std::vector<bool>;

// Every level the device drove the line to, in order.
Levels levels(DeviceBench& device, std::string_view line) {
    Levels driven;
    for (const auto& edge : device.edges(line))
        driven.push_back(edge.level);
    return driven;
}

class ExampleDevices : public ::testing::Test {
protected:
    const backplane_device_type* type(std::string_view plugin, std::string_view name) {
        const auto loaded = plugins_.load(plugin);
        if (!loaded) throw std::runtime_error{loaded.error()};
        const auto* entry = plugins_.find(name);
        if (!entry) throw std::runtime_error{"not offered: " + std::string{name}};
        return entry->type;
    }
    const backplane_device_type* timer() {
        return type("interval-timer", "example.interval-timer");
    }
    const backplane_device_type* counter() { return type("counter-c", "example.counter"); }

    runtime::PluginRegistry plugins_{runtime::PluginSearchPath{{{paths::sdk_examples, "test"}}}};
};

// ---- interval-timer, in C++ ----

TEST_F(ExampleDevices, TimerRaisesItsLineAtTheEndOfEachPeriodUntilAcknowledged) {
    DeviceBench device{timer()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x4, 100);  // ticks of 1 us
    registers.write32(0x0, 1);
    device.advance(100us - 1ns);
    EXPECT_EQ(levels(device, "irq"), Levels{});
    device.advance(1ns);
    EXPECT_EQ(levels(device, "irq"), (Levels{true}));
    EXPECT_EQ(registers.read32(0x8), 1u);
    registers.write32(0x8, 1);
    EXPECT_EQ(levels(device, "irq"), (Levels{true, false}));
    device.advance(100us);
    EXPECT_EQ(levels(device, "irq"), (Levels{true, false, true}));
}

TEST_F(ExampleDevices, TimerTakesItsFrequencyFromTheMachineFile) {
    DeviceBench device{timer(), {{"frequency", 1'000}}};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x4, 5);
    registers.write32(0x0, 1);
    device.advance(5ms - 1ns);
    EXPECT_EQ(levels(device, "irq"), Levels{});
    device.advance(1ns);
    EXPECT_EQ(levels(device, "irq"), (Levels{true}));
}

TEST_F(ExampleDevices, TimerWithPeriodZeroDoesNotRun) {
    DeviceBench device{timer()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x0, 1);
    device.advance(1'000ms);
    EXPECT_EQ(levels(device, "irq"), Levels{});
}

TEST_F(ExampleDevices, TimerIsSilentAfterReset) {
    DeviceBench device{timer()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x4, 1);
    registers.write32(0x0, 1);
    device.advance(1us);
    device.reset();
    device.advance(1ms);
    EXPECT_EQ(levels(device, "irq"), (Levels{true, false}));
    EXPECT_EQ(registers.read32(0x4), 0u);
}

TEST_F(ExampleDevices, TimerGoesOnAfterASnapshotWhereItWas) {
    DeviceBench device{timer()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x4, 100);
    registers.write32(0x0, 1);
    device.advance(60us);
    const auto state = device.save();

    DeviceBench copy{timer()};
    ASSERT_TRUE(copy.power_on()) << copy.failure();
    copy.advance(60us);
    copy.restore(state);
    EXPECT_EQ(copy.save(), state);
    copy.advance(40us - 1ns);
    EXPECT_EQ(levels(copy, "irq"), Levels{});
    copy.advance(1ns);
    EXPECT_EQ(levels(copy, "irq"), (Levels{true}));
}

// ---- counter-c, in C ----

TEST_F(ExampleDevices, CounterRaisesItsLineAtTheLimit) {
    DeviceBench device{counter()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x8, 3);
    registers.write32(0x0, 1);
    device.advance(3ms - 1ns);
    EXPECT_EQ(registers.read32(0x4), 2u);
    EXPECT_EQ(registers.read32(0xc), 0u);
    device.advance(1ns);
    EXPECT_EQ(registers.read32(0x4), 3u);
    EXPECT_EQ(registers.read32(0xc), 1u);
    registers.write32(0xc, 1);
    // Its reset drives the line too.
    EXPECT_EQ(levels(device, "reached"), (Levels{false, true, false}));
    device.advance(1ms);
    EXPECT_EQ(registers.read32(0x4), 4u);
}

TEST_F(ExampleDevices, CounterTakesItsIntervalFromTheMachineFile) {
    DeviceBench device{counter(), {{"interval", 10us}}};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x0, 1);
    device.advance(1ms);
    EXPECT_EQ(registers.read32(0x4), 100u);
}

TEST_F(ExampleDevices, CounterStopsWhenDisabledAndTakesPartsOfRegisters) {
    DeviceBench device{counter()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x4, 0x11223344);
    registers.write8(0x5, 0xaa);
    registers.write16(0x6, 0xbbcc);
    EXPECT_EQ(registers.read32(0x4), 0xbbccaa44u);
    EXPECT_EQ(registers.read8(0x5), 0xaau);
    registers.write8(0x0, 1);
    registers.write8(0x0, 0);
    device.advance(1'000ms);
    EXPECT_EQ(registers.read32(0x4), 0xbbccaa44u);
}

TEST_F(ExampleDevices, CounterGoesOnAfterASnapshotWhereItWas) {
    DeviceBench device{counter()};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x8, 2);
    registers.write32(0x0, 1);
    device.advance(1ms + 400us);
    const auto state = device.save();

    DeviceBench copy{counter()};
    ASSERT_TRUE(copy.power_on()) << copy.failure();
    const auto registers_of_copy = copy.window("registers");
    copy.advance(1ms + 400us);
    copy.restore(state);
    EXPECT_EQ(copy.save(), state);
    copy.advance(600us - 1ns);
    EXPECT_EQ(registers_of_copy.read32(0xc), 0u);
    copy.advance(1ns);
    EXPECT_EQ(registers_of_copy.read32(0xc), 1u);
}

TEST_F(ExampleDevices, CounterWorksWithNothingConnectedToItsLine) {
    // The bench connects every line, so the device must not hear of it.
    backplane_device_type unconnected = *counter();
    unconnected.connect = [](void*, std::uint32_t, std::uint32_t, backplane_link) {
        return backplane_status{BACKPLANE_OK};
    };
    DeviceBench device{&unconnected};
    ASSERT_TRUE(device.power_on()) << device.failure();
    const auto registers = device.window("registers");
    registers.write32(0x8, 1);
    registers.write32(0x0, 1);
    device.advance(5ms);
    EXPECT_EQ(registers.read32(0xc), 1u);
    EXPECT_EQ(levels(device, "reached"), Levels{});
}

// ---- virtio-echo, in C++ ----

TEST_F(ExampleDevices, EchoGivesBackWhatItIsGiven) {
    testing::FakePciSlot slot;
    DeviceBench device{type("virtio-echo", "example.virtio-echo")};
    device.connect("slot", slot);
    ASSERT_TRUE(device.power_on()) << device.failure();
    testing::VirtioDriver driver{slot};
    ASSERT_NE(driver.negotiate(virtio::feature::version_1), 0u);
    auto& queue = driver.add_queue(0, 0x1000);
    driver.ready();
    slot.memory.write(0x20000, 8, 0x1122334455667788);
    const auto id = queue.add({{0x20000, 8}, {0x30000, 5, true}});
    driver.notify(0);
    EXPECT_EQ(queue.take_used(), (testing::VirtioUsed{id, 5}));
    EXPECT_EQ(slot.memory.read(0x30000, 8), 0x4455667788u);
    EXPECT_TRUE(slot.pins[0]);
}

}  // namespace

}  // namespace backplane::test
