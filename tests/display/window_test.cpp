// The legacy window: which byte of which plane an address is.
#include "vga_bench.h"

namespace backplane::display {
namespace {

// A byte of a plane, as the framebuffer shows it.
std::uint8_t plane(VgaBench& vga, unsigned number, unsigned offset) {
    return vga.bench.window("framebuffer").read8(offset * 4 + number);
}

TEST(VgaWindowTest, TextLiesInPlanes0And1) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.poke(0xb8000, 0x41);
    vga.poke(0xb8001, 0x17);
    vga.poke(0xb8002, 0x42);
    EXPECT_EQ(plane(vga, 0, 0), 0x41);
    EXPECT_EQ(plane(vga, 1, 0), 0x17);
    EXPECT_EQ(plane(vga, 0, 2), 0x42);
    EXPECT_EQ(vga.peek(0xb8000), 0x41);
    EXPECT_EQ(vga.peek(0xb8001), 0x17);
}

TEST(VgaWindowTest, TheMemoryMapChoosesTheAddresses) {
    VgaBench vga;
    vga.set_mode(mode_12);
    struct Range {
        unsigned map;
        std::uint32_t first, last;
    };
    for (const auto [map, first, last] : {Range{0, 0xa0000, 0xbffff}, Range{1, 0xa0000, 0xaffff},
                                          Range{2, 0xb0000, 0xb7fff}, Range{3, 0xb8000, 0xbffff}}) {
        vga.set_graphics(6, map << 2 | 1);
        vga.poke(first, 0x5a);
        EXPECT_EQ(vga.peek(first), 0x5a) << map;
        vga.poke(last, 0xa5);
        EXPECT_EQ(vga.peek(last), 0xa5) << map;
        if (first > 0xa0000) EXPECT_EQ(vga.peek(first - 1), 0xff) << map;
        if (last < 0xbffff) EXPECT_EQ(vga.peek(last + 1), 0xff) << map;
    }
}

TEST(VgaWindowTest, WithoutRamEnableNothingAnswers) {
    VgaBench vga;
    vga.set_mode(mode_12);
    vga.poke(0xa0000, 0x12);
    vga.out(0x3c2, 0xe1);
    EXPECT_EQ(vga.peek(0xa0000), 0xff);
    vga.poke(0xa0000, 0x34);
    vga.out(0x3c2, 0xe3);
    EXPECT_EQ(vga.peek(0xa0000), 0x12);
}

TEST(VgaWindowTest, TheMapMaskChoosesPlanes) {
    VgaBench vga;
    vga.set_mode(mode_12);
    vga.set_sequencer(2, 0x6);
    vga.poke(0xa1234, 0x99);
    EXPECT_EQ(plane(vga, 0, 0x1234), 0);
    EXPECT_EQ(plane(vga, 1, 0x1234), 0x99);
    EXPECT_EQ(plane(vga, 2, 0x1234), 0x99);
    EXPECT_EQ(plane(vga, 3, 0x1234), 0);
    vga.set_graphics(4, 1);
    EXPECT_EQ(vga.peek(0xa1234), 0x99);
    vga.set_graphics(4, 3);
    EXPECT_EQ(vga.peek(0xa1234), 0);
}

TEST(VgaWindowTest, Chain4SpreadsBytesOverThePlanes) {
    VgaBench vga;
    vga.set_mode(mode_13);
    for (unsigned i = 0; i < 8; ++i)
        vga.poke(0xa0000 + i, static_cast<std::uint8_t>(0x10 + i));
    for (unsigned i = 0; i < 4; ++i) {
        EXPECT_EQ(plane(vga, i, 0), 0x10 + i);
        EXPECT_EQ(plane(vga, i, 4), 0x14 + i);
        EXPECT_EQ(plane(vga, i, 1), 0);
    }
    EXPECT_EQ(vga.peek(0xa0005), 0x15);
    vga.set_sequencer(2, 0x7);
    vga.poke(0xa0003, 0xee);
    EXPECT_EQ(vga.peek(0xa0003), 0x13) << "the map mask holds";
}

TEST(VgaWindowTest, ReadingFillsTheLatchesAndMode1WritesThem) {
    VgaBench vga;
    vga.set_mode(mode_x);
    for (unsigned number = 0; number < 4; ++number) {
        vga.set_sequencer(2, 1u << number);
        vga.poke(0xa0100, static_cast<std::uint8_t>(0x20 + number));
    }
    vga.set_sequencer(2, 0xf);
    vga.set_graphics(5, 0x41);
    vga.peek(0xa0100);
    vga.poke(0xa0200, 0);
    for (unsigned number = 0; number < 4; ++number)
        EXPECT_EQ(plane(vga, number, 0x200), 0x20 + number);
    vga.set_graphics(4, 2);
    EXPECT_EQ(vga.get(0x3d4, 0x22), 0x22) << "the latch of the plane chosen for reading";
}

TEST(VgaWindowTest, TheOddPageOfOddEvenModes) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.out(0x3c2, 0x47);
    vga.poke(0xb8000, 0x33);
    EXPECT_EQ(plane(vga, 0, 1), 0x33);
    EXPECT_EQ(plane(vga, 0, 0), 0x00);
}

TEST(VgaWindowTest, All128KibOfTextReachBothPages) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.set_graphics(6, 0x02);
    vga.poke(0xa0010, 0x11);
    vga.poke(0xb0010, 0x22);
    EXPECT_EQ(plane(vga, 0, 0x10), 0x11);
    EXPECT_EQ(plane(vga, 0, 0x11), 0x22);
}

TEST(VgaWindowTest, WideAccessesAreBytesInOrder) {
    VgaBench vga;
    vga.set_mode(mode_13);
    const auto window = vga.bench.window("window");
    window.write64(0x100, 0x8877665544332211);
    EXPECT_EQ(vga.peek(0xa0102), 0x33);
    EXPECT_EQ(window.read32(0x104), 0x88776655u);
    EXPECT_EQ(window.read16(0x101), 0x3322u);
}

TEST(VgaWindowTest, ADisabledSubsystemIsNotThere) {
    VgaBench vga;
    vga.set_mode(mode_13);
    vga.poke(0xa0000, 0x12);
    vga.out(0x3c3, 0);
    EXPECT_EQ(vga.peek(0xa0000), 0xff);
    EXPECT_EQ(vga.in(0x3cc), 0xff);
    vga.out(0x3c3, 1);
    EXPECT_EQ(vga.peek(0xa0000), 0x12);
    EXPECT_EQ(vga.in(0x3cc), 0x63);
}

}  // namespace
}  // namespace backplane::display
