// backplane/pci.h through the seam: a function is configured as firmware would, and asked for what
// a guest would see.
#include <backplane/sdk.h>
#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

namespace backplane {
namespace {

using testing::DeviceBench;
using testing::FakePciSlot;

class Card final : public Device {
public:
    static void declare(Declaration<Card>& d) {
        d.type("test.card", "A PCI function with all there is");
        d.property("ram-size", &Card::ram_size_, "Bytes of its memory");
        d.memory_window<&Card::read, &Card::write>("registers", 0x100, "Registers");
        d.port_window<&Card::read, &Card::write>("ports", 24, "The same as ports");
        d.port_window<&Card::read, &Card::write>("legacy", 8, "The same where they always were");
        d.memory_region<&Card::ram>("ram", "Memory");
        d.line_input<&Card::condition>("condition", "Makes it want an interrupt");
        d.pci_function("slot", &Card::pci_,
                       {.vendor = 0x1234,
                        .device = 0x5678,
                        .class_code = 0x030000,
                        .revision = 2,
                        .subsystem_vendor = 0x1af4,
                        .subsystem = 0x1100,
                        .interrupt_pin = 2})
            .bar(0, "registers")
            .bar(1, "ports")
            .bar(2, "ram", {.prefetchable = true, .is_64_bit = true})
            .fixed("legacy", 0x3c0)
            .msi(4)
            .msix(3, 0, 0x80, 0xc0)
            .power_management()
            .on_config_write<&Card::written>();
        d.counter("writes", &Card::writes_, "writes", "Writes to configuration space");
        d.saved("value", &Card::value_);
    }

private:
    std::uint64_t read(std::uint64_t offset, unsigned) { return value_ + offset; }
    void write(std::uint64_t, unsigned, std::uint64_t value) {
        value_ = static_cast<std::uint32_t>(value);
    }
    void condition(bool level) { pci_.interrupt(level, 1); }
    void written(unsigned, unsigned) { ++writes_; }
    MemoryRegion ram() {
        if (ram_.memory == nullptr && ram_size_.value != 0)
            ram_ = {
                static_cast<std::byte*>(host().allocate_memory(host().context, ram_size_.value)),
                ram_size_.value, true};
        return ram_;
    }

    PciFunction pci_;
    Bytes ram_size_{1 << 16};
    MemoryRegion ram_;
    std::uint32_t value_ = 0;
    std::uint64_t writes_ = 0;
};

class PciFunctionTest : public ::testing::Test {
protected:
    PciFunctionTest() {
        bench.connect("slot", slot.link());
        bench.power_on();
    }

    unsigned capability(unsigned id) const {
        for (unsigned at = slot.read_config(0x34, 1); at != 0; at = slot.read_config(at + 1, 1))
            if (slot.read_config(at, 1) == id) return at;
        return 0;
    }

    FakePciSlot slot;
    DeviceBench bench{Declaration<Card>::device_type()};
};

TEST_F(PciFunctionTest, SaysWhoItIs) {
    EXPECT_EQ(slot.read_config(0x00), 0x56781234u);
    EXPECT_EQ(slot.read_config(0x08), 0x03000002u);
    EXPECT_EQ(slot.read_config(0x2c), 0x11001af4u);
    EXPECT_EQ(slot.read_config(0x3d, 1), 2u);
    slot.write_config(0x00, 4, 0);
    slot.write_config(0x08, 4, 0);
    EXPECT_EQ(slot.read_config(0x00), 0x56781234u);
    EXPECT_EQ(slot.read_config(0x08), 0x03000002u);
}

TEST_F(PciFunctionTest, BaseAddressRegistersTellTheirSizes) {
    EXPECT_EQ(slot.bar_size(0), 0x100u);
    EXPECT_EQ(slot.bar_size(1), 32u);  // 24 rounded up to a power of two
    EXPECT_EQ(slot.bar_size(2), 0x10000u);
    EXPECT_EQ(slot.read_config(0x14) & 3, 1u);
    EXPECT_EQ(slot.read_config(0x18) & 15, 0xcu);
    slot.write_config(0x1c, 4, ~0u);
    EXPECT_EQ(slot.read_config(0x1c), ~0u);
    slot.write_config(0x20, 4, ~0u);
    EXPECT_EQ(slot.read_config(0x20), 0u);
}

TEST_F(PciFunctionTest, WindowsAppearWhenDecodingIsOnAndFollowTheirRegister) {
    slot.write_config(0x10, 4, 0xf0000000);
    slot.write_config(0x18, 4, 0x40000000);
    slot.write_config(0x1c, 4, 0x12);
    EXPECT_EQ(slot.memory.address_of("registers"), ~0ull);
    slot.write_config(0x04, 2, 2);
    EXPECT_EQ(slot.memory.address_of("registers"), 0xf0000000);
    EXPECT_EQ(slot.memory.address_of("ram"), 0x1240000000);
    EXPECT_STREQ(slot.memory.placements.front().name, "device.registers");
    EXPECT_EQ(slot.io.address_of("legacy"), ~0ull);
    slot.memory.write(0xf0000000, 4, 7);
    EXPECT_EQ(slot.memory.read(0xf0000004), 11u);
    slot.write_config(0x10, 4, 0xe0000000);
    EXPECT_EQ(slot.memory.address_of("registers"), 0xe0000000);
    slot.write_config(0x14, 4, 0xc000);
    slot.write_config(0x04, 2, 1);
    EXPECT_EQ(slot.memory.address_of("registers"), ~0ull);
    EXPECT_EQ(slot.io.address_of("legacy"), 0x3c0u);
    EXPECT_EQ(slot.io.address_of("ports"), 0xc000u);
    bench.reset();
    EXPECT_TRUE(slot.io.placements.empty());
    EXPECT_EQ(slot.read_config(0x14), 1u);
}

TEST_F(PciFunctionTest, ThePinFollowsTheConditionUnlessDisabled) {
    bench.set_line("condition", true);
    EXPECT_TRUE(slot.pins[1]);
    EXPECT_EQ(slot.read_config(0x06, 2) & 8, 8u);
    slot.write_config(0x04, 2, 0x400);
    EXPECT_FALSE(slot.pins[1]);
    EXPECT_EQ(slot.read_config(0x06, 2) & 8, 8u);
    slot.write_config(0x04, 2, 0);
    EXPECT_TRUE(slot.pins[1]);
    bench.set_line("condition", false);
    EXPECT_FALSE(slot.pins[1]);
    EXPECT_TRUE(slot.messages.empty());
}

TEST_F(PciFunctionTest, MessagesCarryTheVectorInTheirLowBits) {
    const unsigned msi = capability(5);
    ASSERT_NE(msi, 0u);
    EXPECT_EQ((slot.read_config(msi + 2, 2) >> 1) & 7, 2u);
    slot.write_config(msi + 4, 4, 0xfee01000);
    slot.write_config(msi + 12, 2, 0x4040);
    slot.write_config(msi + 2, 2, 0x21);  // enabled, four messages
    slot.enable();
    bench.set_line("condition", true);
    EXPECT_FALSE(slot.pins[1]);
    EXPECT_EQ(slot.messages, (std::vector<FakePciSlot::Message>{{0xfee01000, 0x4041}}));
    // Masked it waits; once is enough.
    slot.write_config(msi + 16, 4, 2);
    bench.set_line("condition", false);
    bench.set_line("condition", true);
    EXPECT_EQ(slot.messages.size(), 1u);
    EXPECT_EQ(slot.read_config(msi + 20), 2u);
    slot.write_config(msi + 16, 4, 0);
    EXPECT_EQ(slot.messages.size(), 2u);
    EXPECT_EQ(slot.read_config(msi + 20), 0u);
}

TEST_F(PciFunctionTest, AFunctionThatMayNotBeMasterSendsNothing) {
    const unsigned msi = capability(5);
    slot.write_config(msi + 2, 2, 1);
    bench.set_line("condition", true);
    EXPECT_TRUE(slot.messages.empty());
}

TEST_F(PciFunctionTest, TheMessageTableLiesOverItsWindow) {
    const unsigned msix = capability(0x11);
    EXPECT_EQ(slot.read_config(msix + 2, 2) & 0x7ff, 2u);
    slot.write_config(0x10, 4, 0xf0000000);
    slot.enable();
    slot.write_config(msix + 2, 2, 0x8000);
    EXPECT_EQ(slot.memory.read(0xf0000080 + 0x1c), 1u);  // masked at first
    slot.memory.write(0xf0000080 + 0x10, 4, 0xfee02000);
    slot.memory.write(0xf0000080 + 0x18, 4, 0x55);
    bench.set_line("condition", true);
    EXPECT_TRUE(slot.messages.empty());
    EXPECT_EQ(slot.memory.read(0xf00000c0), 2u);
    slot.write_config(msix + 2, 2, 0xc000);  // the function as a whole masked
    slot.memory.write(0xf0000080 + 0x1c, 4, 0);
    EXPECT_TRUE(slot.messages.empty());
    slot.write_config(msix + 2, 2, 0x8000);
    EXPECT_EQ(slot.messages, (std::vector<FakePciSlot::Message>{{0xfee02000, 0x55}}));
    EXPECT_EQ(slot.memory.read(0xf00000c0), 0u);
}

TEST_F(PciFunctionTest, ConfigurationSurvivesASnapshot) {
    slot.write_config(0x10, 4, 0xf0000000);
    slot.enable();
    bench.set_line("condition", true);
    const auto saved = bench.save();
    FakePciSlot other_slot;
    DeviceBench other{Declaration<Card>::device_type()};
    other.connect("slot", other_slot.link());
    other.power_on();
    other.restore(saved);
    EXPECT_EQ(other_slot.memory.address_of("registers"), 0xf0000000);
    EXPECT_EQ(other_slot.read_config(0x04), slot.read_config(0x04));
}

}  // namespace
}  // namespace backplane
