// Pixels of the graphics modes, from what a program writes.
#include "vga_bench.h"

namespace backplane::display {
namespace {

TEST(VgaGraphicsTest, Mode12MixesFourPlanes) {
    VgaBench vga;
    vga.set_mode(mode_12);
    EXPECT_EQ(vga.mode().width, 640u);
    EXPECT_EQ(vga.mode().height, 480u);
    EXPECT_EQ(vga.mode().bits_per_pixel, 4u);
    EXPECT_EQ(vga.mode().refresh_mhz, 59940u);
    // Pixels 16 to 23 of line 3, in color 0xb and 4 by turns.
    vga.set_sequencer(2, 0xb);
    vga.poke(0xa0000 + 3 * 80 + 2, 0xaa);
    vga.set_sequencer(2, 0x4);
    vga.poke(0xa0000 + 3 * 80 + 2, 0x55);
    const auto row = vga.pixels(15, 3, 10);
    EXPECT_EQ(row[0], VgaBench::color(0));
    for (unsigned i = 1; i < 9; ++i)
        EXPECT_EQ(row[i], VgaBench::color(i % 2 == 1 ? 0x3b : 0x04)) << i;
    EXPECT_EQ(row[9], VgaBench::color(0));
}

TEST(VgaGraphicsTest, ThePlaneMaskHidesPlanes) {
    VgaBench vga;
    vga.set_mode(mode_12);
    vga.poke(0xa0000, 0x80);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0x3f));
    vga.set_attribute(0x12, 0x7);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0x07));
}

TEST(VgaGraphicsTest, ColorSelectGivesTheUpperBits) {
    VgaBench vga;
    vga.set_mode(mode_12);
    vga.poke(0xa0000, 0x80);  // entry 0x3f
    vga.set_attribute(0x14, 0x9);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0xbf));
    vga.set_attribute(0x10, 0x81);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0x9f));
}

TEST(VgaGraphicsTest, ThePelMaskAppliesToEveryPixel) {
    VgaBench vga;
    vga.set_mode(mode_13);
    vga.poke(0xa0000, 0xff);
    vga.out(0x3c6, 0x0f);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0x0f));
}

TEST(VgaGraphicsTest, Mode13HasPixelsOfFourDots) {
    VgaBench vga;
    vga.set_mode(mode_13);
    EXPECT_EQ(vga.mode().width, 640u);
    EXPECT_EQ(vga.mode().height, 400u);
    EXPECT_EQ(vga.mode().bits_per_pixel, 8u);
    for (const unsigned at : {0u, 1u, 5u, 319u, 320u, 63999u}) {
        const auto value = static_cast<std::uint8_t>(at % 251 + 1);
        vga.poke(0xa0000 + at, value);
        const unsigned x = at % 320 * 2, y = at / 320 * 2;
        for (const unsigned dy : {0u, 1u})
            for (const unsigned dx : {0u, 1u})
                EXPECT_EQ(vga.pixel(x + dx, y + dy), VgaBench::color(value)) << at;
    }
}

TEST(VgaGraphicsTest, ModeXShowsFourPixelsOfEachAddress) {
    VgaBench vga;
    vga.set_mode(mode_x);
    EXPECT_EQ(vga.mode().height, 480u);
    for (unsigned plane = 0; plane < 4; ++plane) {
        vga.set_sequencer(2, 1u << plane);
        vga.poke(0xa0000 + 239 * 80 + 79, static_cast<std::uint8_t>(0x40 + plane));
    }
    for (unsigned plane = 0; plane < 4; ++plane)
        EXPECT_EQ(vga.pixel(632 + 2 * plane, 479), VgaBench::color(0x40 + plane));
}

TEST(VgaGraphicsTest, ModeXTurnsPagesAndPans) {
    VgaBench vga;
    vga.set_mode(mode_x);
    vga.set_sequencer(2, 0x2);  // the second pixel of four
    vga.poke(0xa0000 + 0x4b00, 0x77);
    vga.set_crtc(0x0c, 0x4b);
    EXPECT_EQ(vga.pixel(2, 0), VgaBench::color(0x77));
    vga.set_attribute(0x13, 2);
    EXPECT_EQ(vga.pixel(0, 0), VgaBench::color(0x77)) << "panned by one pixel of two dots";
}

TEST(VgaGraphicsTest, TheSplitScreenStaysAtTheStartOfMemory) {
    VgaBench vga;
    vga.set_mode(mode_x);
    vga.poke(0xa0000, 0x11);  // in all planes
    vga.poke(0xa4000, 0x22);
    vga.set_crtc(0x0c, 0x40);
    vga.set_crtc(0x18, 399 & 0xff);
    vga.set_crtc(0x07, 0x3e);  // bit 8 set
    vga.set_crtc(0x09, 0x01);  // bit 9 clear
    vga.set_attribute(0x13, 4);
    EXPECT_EQ(vga.pixel(0, 400), VgaBench::color(0x11));
    EXPECT_EQ(vga.pixel(4, 400), VgaBench::color(0));
    vga.set_attribute(0x10, 0x61);
    EXPECT_EQ(vga.pixel(4, 400), VgaBench::color(0x11)) << "it need not pan";
    EXPECT_EQ(vga.pixel(3, 0), VgaBench::color(0x22));
    EXPECT_EQ(vga.pixel(4, 0), VgaBench::color(0));
}

TEST(VgaGraphicsTest, Mode0DDoublesDotsAndLines) {
    VgaBench vga;
    vga.set_mode(mode_0d);
    EXPECT_EQ(vga.mode().width, 640u);
    EXPECT_EQ(vga.mode().height, 400u);
    vga.set_sequencer(2, 0x5);
    vga.poke(0xa0000 + 40 + 1, 0x40);
    for (const unsigned y : {2u, 3u})
        for (const unsigned x : {18u, 19u})
            EXPECT_EQ(vga.pixel(x, y), VgaBench::color(0x05));
    EXPECT_EQ(vga.pixel(20, 2), VgaBench::color(0));
    EXPECT_EQ(vga.pixel(18, 4), VgaBench::color(0));
}

TEST(VgaGraphicsTest, Mode4HasTheCgasPairsOfBitsAndInterleavedLines) {
    VgaBench vga;
    vga.set_mode(mode_04);
    EXPECT_EQ(vga.mode().width, 640u);
    EXPECT_EQ(vga.mode().height, 400u);
    EXPECT_EQ(vga.mode().bits_per_pixel, 2u);
    vga.poke(0xb8000, 0x1b);                // colors 0 to 3
    vga.poke(0xb8001, 0xe4);                // 3 to 0
    vga.poke(0xb8000 + 0x2000 + 80, 0xc0);  // line 3
    constexpr std::array<unsigned, 4> entries{0x00, 0x13, 0x15, 0x17};
    for (unsigned i = 0; i < 8; ++i) {
        const unsigned color = i < 4 ? i : 7 - i;
        EXPECT_EQ(vga.pixel(2 * i, 0), VgaBench::color(entries[color])) << i;
        EXPECT_EQ(vga.pixel(2 * i + 1, 1), VgaBench::color(entries[color])) << i;
    }
    EXPECT_EQ(vga.pixel(0, 6), VgaBench::color(0x17));
    EXPECT_EQ(vga.pixel(1, 7), VgaBench::color(0x17));
    EXPECT_EQ(vga.pixel(0, 8), VgaBench::color(0x00));
}

TEST(VgaGraphicsTest, Mode6HasTwoColors) {
    VgaBench vga;
    vga.set_mode(mode_06);
    vga.poke(0xb8000 + 0x2000 + 1, 0x81);
    EXPECT_EQ(vga.pixel(8, 2), VgaBench::color(0x17));
    EXPECT_EQ(vga.pixel(9, 2), VgaBench::color(0x00));
    EXPECT_EQ(vga.pixel(15, 3), VgaBench::color(0x17));
    EXPECT_EQ(vga.pixel(8, 0), VgaBench::color(0x00));
}

TEST(VgaGraphicsTest, WhatLiesBesideTheFrameReadsZero) {
    VgaBench vga;
    vga.set_mode(mode_13);
    vga.out(0x3c8, 0);
    for (int i = 0; i < 3; ++i)
        vga.out(0x3c9, 63);  // everything white
    const auto corner = vga.pixels(638, 398, 4, 4);
    EXPECT_EQ(corner[0], 0xffffffu);
    EXPECT_EQ(corner[1], 0xffffffu);
    EXPECT_EQ(corner[2], 0u);
    EXPECT_EQ(corner[5], 0xffffffu);
    EXPECT_EQ(corner[8], 0u);
    EXPECT_EQ(vga.pixels(0xffffffff, 0xffffffff, 2, 2), std::vector<std::uint32_t>(4, 0));
}

}  // namespace
}  // namespace backplane::display
