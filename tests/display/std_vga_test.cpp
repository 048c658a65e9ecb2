// The card on PCI: what firmware and drivers find in its configuration space and base address
// registers.
#include "std_vga.h"
#include "vga_modes.h"

#include <backplane/testing/device_bench.h>
#include <backplane/testing/fake_pci_slot.h>
#include <backplane/testing/round_trip.h>
#include <backplane/testing/script.h>

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace backplane::display {
namespace {

using testing::DeviceBench;
using testing::FakePciSlot;

class StdVgaTest : public ::testing::Test {
protected:
    StdVgaTest() { EXPECT_TRUE(prepare(bench, slot)); }
    ~StdVgaTest() override { std::filesystem::remove(rom_path); }

    static bool prepare(DeviceBench& bench, FakePciSlot& slot) {
        bench.connect("slot", slot.link());
        return bench.power_on();
    }

    // As firmware does it.
    void configure() {
        slot.write_config(0x10, 4, framebuffer);
        slot.write_config(0x18, 4, registers);
        slot.write_config(0x30, 4, rom | 1);
        slot.enable();
    }

    void dispi(unsigned number, unsigned value) {
        slot.io.write(0x1ce, 2, number);
        slot.io.write(0x1cf, 2, value);
    }

    void set_packed_mode() {
        dispi(Dispi::xres, 640);
        dispi(Dispi::yres, 480);
        dispi(Dispi::bpp, 8);
        dispi(Dispi::enable, 0x41);
    }

    static constexpr std::uint64_t framebuffer = 0xfd000000, registers = 0xfebf0000,
                                   rom = 0xfebe0000;
    static std::filesystem::path write_rom() {
        const auto path = std::filesystem::path{::testing::TempDir()} /
                          ("std_vga_" + std::to_string(getpid()) + ".rom");
        std::ofstream{path, std::ios::binary} << "\x55\xaa\x02 a rom";
        return path;
    }

    std::filesystem::path rom_path = write_rom();
    std::vector<testing::Setting> settings{{"memory", Bytes{1 << 20}}, {"rom", rom_path.string()}};
    FakePciSlot slot;
    DeviceBench bench{Declaration<StdVga>::device_type(), settings};
};

TEST_F(StdVgaTest, IsTheCardThatDriversLookFor) {
    EXPECT_EQ(slot.read_config(0x00), 0x11111234u);
    EXPECT_EQ(slot.read_config(0x08), 0x03000002u);
    EXPECT_EQ(slot.read_config(0x2c), 0x11001af4u);
    EXPECT_EQ(slot.read_config(0x3d, 1), 0u) << "no interrupt";
    EXPECT_EQ(slot.bar_size(0), 1u << 20);
    EXPECT_EQ(slot.read_config(0x10) & 15, 8u) << "prefetchable memory";
    EXPECT_EQ(slot.bar_size(2), 0x1000u);
    slot.write_config(0x30, 4, 0xfffff800);
    EXPECT_EQ(slot.read_config(0x30), 0xfffff800u) << "a ROM of 2 KiB";
}

TEST_F(StdVgaTest, TheCommandRegisterOpensPortsAndMemory) {
    EXPECT_EQ(slot.io.address_of("ports"), ~std::uint64_t{0});
    EXPECT_EQ(slot.io.read(0x1cf, 2), 0xffffu);
    configure();
    EXPECT_EQ(slot.io.address_of("ports"), 0x3c0u);
    EXPECT_EQ(slot.io.address_of("mono-ports"), 0x3b0u);
    EXPECT_EQ(slot.io.address_of("dispi-ports"), 0x1ceu);
    EXPECT_EQ(slot.memory.address_of("window"), 0xa0000u);
    EXPECT_EQ(slot.memory.address_of("framebuffer"), framebuffer);
    EXPECT_EQ(slot.memory.read(rom, 2), 0xaa55u);
    EXPECT_EQ(slot.memory.read(rom + 0x700, 1), 0xffu);
    slot.write_config(0x04, 2, 0);
    EXPECT_EQ(slot.io.address_of("ports"), ~std::uint64_t{0});
    EXPECT_EQ(slot.memory.address_of("window"), ~std::uint64_t{0});
}

TEST_F(StdVgaTest, RegistersAreInMemoryToo) {
    configure();
    EXPECT_EQ(slot.memory.read(registers, 8), 0x00ffffffffffff00u) << "EDID";
    EXPECT_EQ(slot.memory.read(registers + 0x80, 4), 0u);
    slot.memory.write(registers + 0x402, 1, 0x67);
    EXPECT_EQ(slot.io.read(0x3cc, 1), 0x67u);
    EXPECT_EQ(slot.memory.read(registers + 0x40c, 1), 0x67u);
    slot.memory.write(registers + 0x404, 2, 0x0f02);  // index and data
    EXPECT_EQ(slot.io.read(0x3c5, 1), 0x0fu);
    EXPECT_EQ(slot.memory.read(registers + 0x500, 2), 0xb0c5u);
    slot.io.write(0x1ce, 2, 7);
    slot.memory.write(registers + 0x502, 4, 600u << 16 | 800);
    EXPECT_EQ(slot.memory.read(registers + 0x502, 2), 800u);
    EXPECT_EQ(slot.memory.read(registers + 0x504, 2), 600u);
    EXPECT_EQ(slot.io.read(0x1ce, 2), 7u) << "the index of the ports is theirs";
    EXPECT_EQ(slot.memory.read(registers + 0x600, 4), 8u);
    EXPECT_EQ(slot.memory.read(registers + 0x604, 4), 0x1e1e1e1eu);
}

TEST_F(StdVgaTest, PixelsCanBeBigEndian) {
    configure();
    dispi(Dispi::xres, 64);
    dispi(Dispi::yres, 64);
    dispi(Dispi::bpp, 32);
    dispi(Dispi::enable, 0x41);
    slot.memory.write(registers + 0x400, 1, 0x20);
    slot.memory.write(framebuffer, 4, 0x11223344);
    std::uint32_t pixel = 0;
    const auto display = bench.service<backplane_display>("display");
    display.call<&backplane_display::read_pixels>(0u, 0u, 1u, 1u, &pixel, std::uint64_t{1});
    EXPECT_EQ(pixel, 0x223344u);
    slot.memory.write(registers + 0x604, 4, 0xbebebebe);
    EXPECT_EQ(slot.memory.read(registers + 0x604, 4), 0xbebebebeu);
    display.call<&backplane_display::read_pixels>(0u, 0u, 1u, 1u, &pixel, std::uint64_t{1});
    EXPECT_EQ(pixel, 0x332211u);
}

TEST_F(StdVgaTest, ABankOfAPackedFrameIsMemory) {
    configure();
    EXPECT_EQ(slot.memory.address_of("bank"), ~std::uint64_t{0});
    set_packed_mode();
    EXPECT_EQ(slot.memory.address_of("bank"), 0xa0000u);
    slot.memory.write(0xa0010, 4, 0x12345678);
    EXPECT_EQ(slot.memory.read(framebuffer + 0x10), 0x12345678u);
    EXPECT_EQ(bench.statistic("window.writes"), 0u) << "nobody called the card";
    dispi(Dispi::bank, 2);
    slot.memory.write(0xa0010, 4, 0x9abcdef0);
    EXPECT_EQ(slot.memory.read(framebuffer + 0x20010), 0x9abcdef0u);
    EXPECT_EQ(bench.window("window").read32(0x10), 0x9abcdef0u) << "the card says the same";
    slot.memory.write(registers + 0x508, 2, 0);
    EXPECT_EQ(slot.memory.address_of("bank"), ~std::uint64_t{0});
    set_packed_mode();
    slot.write_config(0x04, 2, 0x0001);
    EXPECT_EQ(slot.memory.address_of("bank"), ~std::uint64_t{0});
    slot.write_config(0x04, 2, 0x0003);
    EXPECT_EQ(slot.memory.address_of("bank"), 0xa0000u);
    bench.reset();
    EXPECT_EQ(slot.memory.address_of("bank"), ~std::uint64_t{0});
}

TEST_F(StdVgaTest, APreferredSizeIsInTheEdid) {
    configure();
    bench.service<backplane_display>("display").call<&backplane_display::prefer_size>(1920u, 1080u);
    EXPECT_EQ(slot.memory.read(registers + 54 + 2, 1), 1920u & 0xff);
    EXPECT_EQ(slot.memory.read(registers + 54 + 4, 1) >> 4, 1920u >> 8);
    bench.reset();
    configure();
    EXPECT_EQ(slot.memory.read(registers + 54 + 2, 1), 1920u & 0xff) << "the monitor stays";
}

TEST_F(StdVgaTest, SurvivesASnapshot) {
    configure();
    set_packed_mode();
    dispi(Dispi::bank, 5);
    FakePciSlot second_slot;
    DeviceBench second{Declaration<StdVga>::device_type(), settings};
    ASSERT_TRUE(prepare(second, second_slot));
    EXPECT_EQ(testing::round_trip(bench, second), "");
    EXPECT_EQ(second_slot.memory.address_of("bank"), 0xa0000u);
    slot.memory.write(framebuffer + 0x50003, 1, 0x77);
    second_slot.memory.write(0xa0003, 1, 0x77);
    EXPECT_EQ(second_slot.memory.read(framebuffer + 0x50003, 1), 0x77u);
}

TEST_F(StdVgaTest, BearsRandomAccesses) {
    std::mt19937 random{1};
    for (int round = 0; round < 20; ++round) {
        std::vector<std::uint8_t> bytes(5'000);
        for (auto& byte : bytes)
            byte = static_cast<std::uint8_t>(random());
        testing::Script{bench}.play(bytes);
        slot.write_config(random() & 0x3c, 4, random());
    }
    FakePciSlot second_slot;
    DeviceBench second{Declaration<StdVga>::device_type(), settings};
    ASSERT_TRUE(prepare(second, second_slot));
    EXPECT_EQ(testing::round_trip(bench, second), "");
}

TEST(StdVgaRomTest, AMissingFileIsAnErrorUnlessNoneIsWanted) {
    FakePciSlot slot;
    DeviceBench missing{Declaration<StdVga>::device_type(), {{"rom", "/nonexistent/vga.bin"}}};
    missing.connect("slot", slot.link());
    EXPECT_FALSE(missing.power_on());
    EXPECT_EQ(missing.failure(), "cannot read rom /nonexistent/vga.bin: No such file or directory");
    FakePciSlot bare;
    DeviceBench none{Declaration<StdVga>::device_type(), {{"rom", std::string{}}}};
    none.connect("slot", bare.link());
    EXPECT_TRUE(none.power_on());
    bare.write_config(0x30, 4, ~0u);
    EXPECT_EQ(bare.read_config(0x30), 0u);
}

}  // namespace
}  // namespace backplane::display
