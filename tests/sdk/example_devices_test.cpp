// The example plugins, built by gcc and g++ against the installed SDK, each driven on its own.
#include "runtime/plugin_registry.h"
#include "sdk/device_under_test.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <vector>

namespace backplane::test {

namespace {

using Levels = std::vector<int>;

constexpr std::uint64_t microsecond = 1'000, millisecond = 1'000'000;

class ExampleDevices : public testing::Test {
protected:
    const backplane_device_type& type(std::string_view plugin, std::string_view name) {
        const auto loaded = plugins_.load(plugin);
        if (!loaded) throw std::runtime_error{loaded.error()};
        const auto* entry = plugins_.find(name);
        if (!entry) throw std::runtime_error{"not offered: " + std::string{name}};
        return *entry->type;
    }
    const backplane_device_type& timer() {
        return type("interval-timer", "example.interval-timer");
    }
    const backplane_device_type& counter() { return type("counter-c", "example.counter"); }

    runtime::PluginRegistry plugins_{runtime::PluginSearchPath{{{paths::sdk_examples, "test"}}}};
};

// ---- interval-timer, in C++ ----

TEST_F(ExampleDevices, TimerRaisesItsLineAtTheEndOfEachPeriodUntilAcknowledged) {
    DeviceUnderTest device{timer()};
    const Levels& irq = device.record("irq");
    device.start();
    device.write("registers", 0x4, 4, 100);  // ticks of 1 us
    device.write("registers", 0x0, 4, 1);
    device.advance(100 * microsecond - 1);
    EXPECT_EQ(irq, Levels{});
    device.advance(1);
    EXPECT_EQ(irq, Levels{1});
    EXPECT_EQ(device.read("registers", 0x8, 4), 1u);
    device.write("registers", 0x8, 4, 1);
    EXPECT_EQ(irq, (Levels{1, 0}));
    device.advance(100 * microsecond);
    EXPECT_EQ(irq, (Levels{1, 0, 1}));
}

TEST_F(ExampleDevices, TimerTakesItsFrequencyFromTheMachineFile) {
    DeviceUnderTest device{timer(), {{"frequency", 1'000}}};
    const Levels& irq = device.record("irq");
    device.start();
    device.write("registers", 0x4, 4, 5);
    device.write("registers", 0x0, 4, 1);
    device.advance(5 * millisecond - 1);
    EXPECT_EQ(irq, Levels{});
    device.advance(1);
    EXPECT_EQ(irq, Levels{1});
}

TEST_F(ExampleDevices, TimerWithPeriodZeroDoesNotRun) {
    DeviceUnderTest device{timer()};
    const Levels& irq = device.record("irq");
    device.start();
    device.write("registers", 0x0, 4, 1);
    device.advance(1'000 * millisecond);
    EXPECT_EQ(irq, Levels{});
}

TEST_F(ExampleDevices, TimerIsSilentAfterReset) {
    DeviceUnderTest device{timer()};
    const Levels& irq = device.record("irq");
    device.start();
    device.write("registers", 0x4, 4, 1);
    device.write("registers", 0x0, 4, 1);
    device.advance(microsecond);
    device.reset();
    device.advance(millisecond);
    EXPECT_EQ(irq, (Levels{1, 0}));
    EXPECT_EQ(device.read("registers", 0x4, 4), 0u);
}

TEST_F(ExampleDevices, TimerGoesOnAfterASnapshotWhereItWas) {
    DeviceUnderTest device{timer()};
    device.start();
    device.write("registers", 0x4, 4, 100);
    device.write("registers", 0x0, 4, 1);
    device.advance(60 * microsecond);
    const auto state = device.save();

    DeviceUnderTest copy{timer()};
    const Levels& irq = copy.record("irq");
    copy.start();
    copy.advance(60 * microsecond);
    copy.restore(state);
    EXPECT_EQ(copy.save(), state);
    copy.advance(40 * microsecond - 1);
    EXPECT_EQ(irq, Levels{});
    copy.advance(1);
    EXPECT_EQ(irq, Levels{1});
}

// ---- counter-c, in C ----

TEST_F(ExampleDevices, CounterRaisesItsLineAtTheLimit) {
    DeviceUnderTest device{counter()};
    const Levels& reached = device.record("reached");
    device.start();
    device.write("registers", 0x8, 4, 3);
    device.write("registers", 0x0, 4, 1);
    device.advance(3 * millisecond - 1);
    EXPECT_EQ(device.read("registers", 0x4, 4), 2u);
    EXPECT_EQ(device.read("registers", 0xc, 4), 0u);
    device.advance(1);
    EXPECT_EQ(device.read("registers", 0x4, 4), 3u);
    EXPECT_EQ(device.read("registers", 0xc, 4), 1u);
    device.write("registers", 0xc, 4, 1);
    EXPECT_EQ(reached, (Levels{0, 1, 0}));  // its reset drives the line too
    device.advance(millisecond);
    EXPECT_EQ(device.read("registers", 0x4, 4), 4u);
}

TEST_F(ExampleDevices, CounterTakesItsIntervalFromTheMachineFile) {
    DeviceUnderTest device{counter(), {{"interval", 10 * microsecond}}};
    device.start();
    device.write("registers", 0x0, 4, 1);
    device.advance(millisecond);
    EXPECT_EQ(device.read("registers", 0x4, 4), 100u);
}

TEST_F(ExampleDevices, CounterStopsWhenDisabledAndTakesPartsOfRegisters) {
    DeviceUnderTest device{counter()};
    device.start();
    device.write("registers", 0x4, 4, 0x11223344);
    device.write("registers", 0x5, 1, 0xaa);
    device.write("registers", 0x6, 2, 0xbbcc);
    EXPECT_EQ(device.read("registers", 0x4, 4), 0xbbccaa44u);
    EXPECT_EQ(device.read("registers", 0x5, 1), 0xaau);
    device.write("registers", 0x0, 1, 1);
    device.write("registers", 0x0, 1, 0);
    device.advance(1'000 * millisecond);
    EXPECT_EQ(device.read("registers", 0x4, 4), 0xbbccaa44u);
}

TEST_F(ExampleDevices, CounterGoesOnAfterASnapshotWhereItWas) {
    DeviceUnderTest device{counter()};
    device.start();
    device.write("registers", 0x8, 4, 2);
    device.write("registers", 0x0, 4, 1);
    device.advance(millisecond + 400 * microsecond);
    const auto state = device.save();

    DeviceUnderTest copy{counter()};
    copy.start();
    copy.advance(millisecond + 400 * microsecond);
    copy.restore(state);
    EXPECT_EQ(copy.save(), state);
    copy.advance(600 * microsecond - 1);
    EXPECT_EQ(copy.read("registers", 0xc, 4), 0u);
    copy.advance(1);
    EXPECT_EQ(copy.read("registers", 0xc, 4), 1u);
}

TEST_F(ExampleDevices, CounterWorksWithNothingConnectedToItsLine) {
    DeviceUnderTest device{counter()};
    device.start();
    device.write("registers", 0x8, 4, 1);
    device.write("registers", 0x0, 4, 1);
    device.advance(5 * millisecond);
    EXPECT_EQ(device.read("registers", 0xc, 4), 1u);
}

}  // namespace

}  // namespace backplane::test
