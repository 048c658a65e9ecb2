#include "vga_bench.h"

namespace backplane::display {
namespace {

TEST(DispiTest, RegistersAsDriversProbeThem) {
    VgaBench vga;
    EXPECT_EQ(vga.dispi(Dispi::id), 0xb0c5);
    vga.dispi(Dispi::id, 0xb0c2);
    EXPECT_EQ(vga.dispi(Dispi::id), 0xb0c2);
    vga.dispi(Dispi::id, 0xb0c6);
    EXPECT_EQ(vga.dispi(Dispi::id), 0xb0c2);
    EXPECT_EQ(vga.dispi(Dispi::video_memory_64k), 16);
    EXPECT_EQ(vga.dispi(0x20), 0);
    vga.dispi(Dispi::enable, Dispi::getcaps);
    EXPECT_EQ(vga.dispi(Dispi::xres), 16000);
    EXPECT_EQ(vga.dispi(Dispi::yres), 12000);
    EXPECT_EQ(vga.dispi(Dispi::bpp), 32);
    vga.dispi(Dispi::enable, 0);
    EXPECT_EQ(vga.dispi(Dispi::xres), 0);
}

TEST(DispiTest, TheSecondDataPortIsTheSame) {
    VgaBench vga;
    const auto ports = vga.bench.window("dispi-ports");
    ports.write16(0, Dispi::xres);
    ports.write16(2, 800);
    EXPECT_EQ(ports.read16(1), 800);
    EXPECT_EQ(ports.read16(2), 800);
    EXPECT_EQ(ports.read16(0), Dispi::xres);
}

TEST(DispiTest, EnablingMakesAFrame) {
    VgaBench vga{{{"memory", Bytes{16 << 20}}}};
    vga.set_dispi_mode(1280, 800, 32);
    const auto mode = vga.mode();
    EXPECT_EQ(mode.kind, BACKPLANE_DISPLAY_GRAPHICS);
    EXPECT_EQ(mode.width, 1280u);
    EXPECT_EQ(mode.height, 800u);
    EXPECT_EQ(mode.bits_per_pixel, 32u);
    EXPECT_EQ(mode.refresh_mhz, 60000u);
    EXPECT_EQ(vga.dispi(Dispi::virt_width), 1280);
    EXPECT_EQ(vga.dispi(Dispi::virt_height), (16 << 20) / 5120);
}

TEST(DispiTest, EachDepthHasItsColors) {
    VgaBench vga;
    const auto memory = vga.bench.window("framebuffer");
    struct Case {
        unsigned bits;
        std::uint32_t value, color;
    };
    for (const auto [bits, value, color] :
         {Case{15, 0x7c00, 0xff0000}, Case{15, 0x8421, 0x080808}, Case{15, 0x03e0, 0x00ff00},
          Case{16, 0xf800, 0xff0000}, Case{16, 0x0821, 0x080408}, Case{16, 0x07e0, 0x00ff00},
          Case{24, 0x123456, 0x123456}, Case{32, 0xff123456, 0x123456}}) {
        vga.set_dispi_mode(64, 64, bits);
        const unsigned bytes = (bits + 7) / 8;
        memory.write32((5 * 64 + 3) * bytes, value);
        EXPECT_EQ(vga.pixel(3, 5), color) << bits;
        EXPECT_EQ(vga.pixel(2, 5), 0u) << bits;
    }
}

TEST(DispiTest, EightBitsGoThroughTheDac) {
    VgaBench vga;
    vga.set_mode(mode_13);  // for its colors
    vga.set_dispi_mode(64, 64, 8);
    vga.bench.window("framebuffer").write8(64 * 2 + 7, 0x99);
    EXPECT_EQ(vga.pixel(7, 2), VgaBench::color(0x99));
    vga.dispi(Dispi::enable, 0x61);
    vga.out(0x3c8, 0x99);
    for (const std::uint8_t value : {0x12, 0x34, 0xf6})
        vga.out(0x3c9, value);
    EXPECT_EQ(vga.pixel(7, 2), 0x1234f6u) << "eight bits for each color";
    vga.dispi(Dispi::enable, 0x41);
    vga.out(0x3c8, 0x98);
    for (const std::uint8_t value : {0xff, 0xff, 0xff})
        vga.out(0x3c9, value);
    vga.out(0x3c7, 0x98);
    EXPECT_EQ(vga.in(0x3c9), 0x3f) << "six bits";
}

TEST(DispiTest, FourBitsAreThePlanesOfTheVga) {
    VgaBench vga;
    vga.set_mode(mode_12);
    vga.set_dispi_mode(800, 600, 4);
    EXPECT_EQ(vga.mode().bits_per_pixel, 4u);
    vga.set_sequencer(2, 0x3);
    vga.poke(0xa0000 + 100 * 3 + 1, 0x80);
    EXPECT_EQ(vga.pixel(8, 3), VgaBench::color(0x03));
    vga.dispi(Dispi::x_offset, 5);
    EXPECT_EQ(vga.pixel(3, 3), VgaBench::color(0x03));
    vga.dispi(Dispi::x_offset, 0);
    vga.set_dispi_mode(1600, 500, 4);  // 200 bytes for each row of a plane: 100 000 in all
    vga.dispi(Dispi::bank, 1);
    vga.poke(0xa0000 + 200 * 400 - 0x10000, 0x01);
    EXPECT_EQ(vga.pixel(7, 400), VgaBench::color(0x03));
}

TEST(DispiTest, TheWindowShowsBanksOf64KiB) {
    VgaBench vga;
    vga.set_dispi_mode(640, 480, 8);
    const auto memory = vga.bench.window("framebuffer");
    vga.poke(0xa1234, 0x11);
    vga.dispi(Dispi::bank, 3);
    vga.poke(0xa1234, 0x22);
    EXPECT_EQ(memory.read8(0x1234), 0x11);
    EXPECT_EQ(memory.read8(0x31234), 0x22);
    EXPECT_EQ(vga.peek(0xa1234), 0x22);
    EXPECT_EQ(vga.peek(0xb8000), 0xff);
    vga.dispi(Dispi::bank, 0x13);
    EXPECT_EQ(vga.dispi(Dispi::bank), 3) << "there are sixteen";
}

TEST(DispiTest, EnablingClearsUnlessToldNotTo) {
    VgaBench vga;
    const auto memory = vga.bench.window("framebuffer");
    memory.write32(0, 0x55);
    memory.write32(64 * 64 * 4, 0x66);
    vga.set_dispi_mode(64, 64, 32, 0xc0);
    EXPECT_EQ(memory.read32(0), 0x55u);
    vga.set_dispi_mode(64, 64, 32);
    EXPECT_EQ(memory.read32(0), 0u);
    EXPECT_EQ(memory.read32(64 * 64 * 4), 0x66u) << "beyond the frame";
}

TEST(DispiTest, OffsetsPanOverAVirtualScreen) {
    VgaBench vga;
    vga.set_dispi_mode(64, 48, 32);
    vga.dispi(Dispi::virt_width, 128);
    vga.dispi(Dispi::x_offset, 10);
    vga.dispi(Dispi::y_offset, 20);
    vga.bench.window("framebuffer").write32((21 * 128 + 12) * 4, 0xabcdef);
    EXPECT_EQ(vga.pixel(2, 1), 0xabcdefu);
}

TEST(DispiTest, WhateverIsWrittenTheFrameLiesInMemory) {
    VgaBench vga;
    vga.set_dispi_mode(0xffff, 0xffff, 7);
    EXPECT_EQ(vga.dispi(Dispi::bpp), 8);
    EXPECT_EQ(vga.dispi(Dispi::xres), 16000);
    EXPECT_EQ(vga.dispi(Dispi::yres), (1 << 20) / 16000);
    vga.dispi(Dispi::x_offset, 0xffff);
    vga.dispi(Dispi::y_offset, 0xffff);
    EXPECT_EQ(vga.dispi(Dispi::y_offset), 0);
    EXPECT_EQ(vga.dispi(Dispi::x_offset), 0);
    vga.set_dispi_mode(1, 0, 32);
    EXPECT_EQ(vga.dispi(Dispi::xres), 8);
    EXPECT_EQ(vga.dispi(Dispi::yres), 1);
}

}  // namespace
}  // namespace backplane::display
