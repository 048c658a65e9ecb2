// The ISA bridges: where PCI interrupts go, and where the power management registers appear.
#include "acpi_pm.h"
#include "pci/ich9_lpc.h"
#include "pci/piix3.h"
#include "pci/piix4_pm.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <string>

namespace backplane::chipset {
namespace {

using testing::DeviceBench;
using testing::FakePciSlot;
using testing::round_trip;

class Router {
public:
    explicit Router(DeviceBench& bench) : link_{bench.link("interrupt-router")} {}
    void set(unsigned device, unsigned pin, bool level) const {
        static_cast<const backplane_pci_interrupt_router*>(link_.functions)
            ->set(link_.object, device, pin, std::int32_t{level});
    }

private:
    backplane_link link_;
};

std::string irq(unsigned number) { return "irq." + std::to_string(number); }

class Piix3Test : public ::testing::Test {
protected:
    Piix3Test() {
        bench.connect("slot", slot.link());
        bench.power_on();
    }
    FakePciSlot slot;
    DeviceBench bench{Declaration<Piix3>::device_type()};
};

TEST_F(Piix3Test, RoutesNothingAtFirst) {
    EXPECT_EQ(slot.read_config(0), 0x70008086u);
    EXPECT_EQ(slot.read_config(0x60), 0x80808080u);
    const Router router{bench};
    for (unsigned pin = 1; pin <= 4; ++pin)
        router.set(3, pin, true);
    for (unsigned number = 0; number < 16; ++number)
        EXPECT_FALSE(bench.level(irq(number)));
}

// The pins turn from slot to slot: device 1 has INTA# on PIRQA#, device 2 on PIRQB#.
TEST_F(Piix3Test, TurnsThePinsFromSlotToSlot) {
    slot.write_config(0x60, 4, 0x0c0b0a09);
    const Router router{bench};
    const auto expect = [&](unsigned device, unsigned pin, unsigned number) {
        router.set(device, pin, true);
        for (unsigned each = 0; each < 16; ++each)
            EXPECT_EQ(bench.level(irq(each)), each == number) << device << " " << pin;
        router.set(device, pin, false);
    };
    expect(1, 1, 9);
    expect(1, 4, 12);
    expect(2, 1, 10);
    expect(3, 1, 11);
    expect(4, 2, 9);
    expect(31, 1, 11);
}

TEST_F(Piix3Test, SharesALineUntilTheLastReleasesIt) {
    slot.write_config(0x60, 4, 0x0b0b0b0b);
    const Router router{bench};
    router.set(2, 1, true);
    router.set(3, 4, true);
    router.set(2, 1, false);
    EXPECT_TRUE(bench.level("irq.11"));
    router.set(3, 4, false);
    EXPECT_FALSE(bench.level("irq.11"));
}

TEST_F(Piix3Test, FollowsItsRegistersAndIgnoresReservedNumbers) {
    const Router router{bench};
    router.set(1, 1, true);
    slot.write_config(0x60, 1, 0x0a);
    EXPECT_TRUE(bench.level("irq.10"));
    slot.write_config(0x60, 1, 0x05);
    EXPECT_FALSE(bench.level("irq.10"));
    EXPECT_TRUE(bench.level("irq.5"));
    for (const std::uint32_t reserved : {0u, 1u, 2u, 8u, 13u, 0x85u}) {
        slot.write_config(0x60, 1, reserved);
        for (unsigned number = 0; number < 16; ++number)
            EXPECT_FALSE(bench.level(irq(number))) << reserved;
    }
}

TEST_F(Piix3Test, GoesOnAfterASnapshot) {
    slot.write_config(0x60, 4, 0x0c0b0a09);
    Router{bench}.set(2, 1, true);
    FakePciSlot other_slot;
    DeviceBench other{Declaration<Piix3>::device_type()};
    other.connect("slot", other_slot.link());
    other.power_on();
    EXPECT_EQ(round_trip(bench, other), "");
}

class Ich9LpcTest : public ::testing::Test {
protected:
    Ich9LpcTest() {
        acpi.power_on();
        bench.connect("slot", slot.link());
        bench.connect("power-management", acpi.link("registers"));
        bench.power_on();
    }
    FakePciSlot slot;
    DeviceBench acpi{Declaration<AcpiPm>::device_type()};
    DeviceBench bench{Declaration<Ich9Lpc>::device_type()};
};

TEST_F(Ich9LpcTest, OutsideDevicesUseThePirqsFromEOn) {
    const Router router{bench};
    router.set(0, 1, true);
    EXPECT_TRUE(bench.level("pirq.4"));
    router.set(1, 2, true);
    EXPECT_TRUE(bench.level("pirq.6"));
    slot.write_config(0x68, 4, 0x800b800a);
    EXPECT_TRUE(bench.level("irq.10"));
    EXPECT_TRUE(bench.level("irq.11"));
    router.set(1, 2, false);
    EXPECT_FALSE(bench.level("irq.11"));
}

TEST_F(Ich9LpcTest, ItsOwnDevicesAreRoutedByRegisters) {
    const Router router{bench};
    router.set(31, 2, true);
    EXPECT_TRUE(bench.level("pirq.1"));
    slot.write_config(0xf0, 4, 0xfed1c001);
    EXPECT_EQ(slot.memory.read(0xfed1c000 + 0x3140, 2), 0x3210u);
    slot.memory.write(0xfed1c000 + 0x3140, 2, 0x3270);
    EXPECT_FALSE(bench.level("pirq.1"));
    EXPECT_TRUE(bench.level("pirq.7"));
}

TEST_F(Ich9LpcTest, PlacesThePowerManagementRegisters) {
    slot.write_config(0x40, 4, 0x600);
    EXPECT_EQ(slot.io.address_of("power management"), ~0ull);
    slot.write_config(0x44, 1, 0x80);
    EXPECT_EQ(slot.io.address_of("power management"), 0x600u);
    EXPECT_EQ(slot.io.read(0x604, 2) & 1, 1u);
    // Nobody is to set up system management mode.
    EXPECT_EQ(slot.io.read(0x630) & 0x20, 0x20u);
    slot.io.write(0x628, 4, 0xff);
    EXPECT_EQ(slot.io.read(0x628), 0xffu);
    slot.io.write(0x620, 4, 0xff);
    EXPECT_EQ(slot.io.read(0x620), 0u);
    slot.write_config(0x40, 4, 0xb000);
    EXPECT_EQ(slot.io.address_of("general purpose events"), 0xb020u);
}

TEST_F(Ich9LpcTest, GoesOnAfterASnapshot) {
    slot.write_config(0x40, 4, 0x600);
    slot.write_config(0x44, 1, 0x80);
    Router{bench}.set(31, 1, true);
    FakePciSlot other_slot;
    DeviceBench other{Declaration<Ich9Lpc>::device_type()};
    other.connect("slot", other_slot.link());
    other.connect("power-management", acpi.link("registers"));
    other.power_on();
    EXPECT_EQ(round_trip(bench, other), "");
    EXPECT_EQ(other_slot.io.address_of("power management"), 0x600u);
}

TEST(Piix4Pm, PlacesTheAcpiRegistersWhereFirmwareWantsThem) {
    FakePciSlot slot;
    DeviceBench acpi{Declaration<AcpiPm>::device_type()};
    acpi.power_on();
    DeviceBench bench{Declaration<Piix4Pm>::device_type()};
    bench.connect("slot", slot.link());
    bench.connect("power-management", acpi.link("registers"));
    bench.power_on();
    EXPECT_EQ(slot.read_config(0), 0x71138086u);
    EXPECT_EQ(slot.read_config(0x5b, 1), 0x02u);  // nobody is to set up system management mode
    slot.write_config(0x40, 4, 0xffffffff);
    EXPECT_EQ(slot.read_config(0x40), 0xffc1u);
    slot.write_config(0x40, 4, 0x600);
    EXPECT_TRUE(slot.io.placements.empty());
    slot.write_config(0x80, 1, 1);
    EXPECT_EQ(slot.io.address_of("power management"), 0x600u);
    EXPECT_EQ(slot.io.read(0x604, 2) & 1, 1u);
    slot.write_config(0x40, 4, 0xb000);
    EXPECT_EQ(slot.io.address_of("power management"), 0xb000u);
    bench.reset();
    EXPECT_TRUE(slot.io.placements.empty());
}

}  // namespace
}  // namespace backplane::chipset
