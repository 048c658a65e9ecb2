// Ports as programs use them: which answer, status bits, the DAC, the retrace and its interrupt.
#include "vga_bench.h"

namespace backplane::display {
namespace {

using namespace std::chrono_literals;

TEST(VgaPortsTest, TheCrtcIsAtOneOfTwoPlaces) {
    VgaBench vga;
    vga.set_mode(mode_03);
    EXPECT_EQ(vga.get(0x3d4, 0x01), 0x4f);
    EXPECT_EQ(vga.get(0x3b4, 0x01), 0xff);
    EXPECT_EQ(vga.in(0x3ba), 0xff);
    vga.set_mode(mode_07);
    EXPECT_EQ(vga.get(0x3b4, 0x01), 0x4f);
    EXPECT_EQ(vga.get(0x3d4, 0x01), 0xff);
    EXPECT_EQ(vga.in(0x3da), 0xff);
}

TEST(VgaPortsTest, RegistersReadBack) {
    VgaBench vga;
    vga.set_mode(mode_03);
    EXPECT_EQ(vga.in(0x3cc), 0x67);
    EXPECT_EQ(vga.get(0x3c4, 4), 0x02);
    EXPECT_EQ(vga.in(0x3c4), 4);
    EXPECT_EQ(vga.get(0x3ce, 6), 0x0e);
    vga.in(0x3da);
    vga.out(0x3c0, 0x26);
    EXPECT_EQ(vga.in(0x3c0), 0x26);
    EXPECT_EQ(vga.in(0x3c1), 0x14);
    EXPECT_EQ(vga.get(0x3d4, 0x24), 0xa6) << "the next write to 0x3C0 is data";
    vga.out(0x3da, 0xff);
    EXPECT_EQ(vga.in(0x3ca), 0x0b);
    EXPECT_EQ(vga.in(0x3c2), 0x10);
    EXPECT_EQ(vga.in(0x3cb), 0xff);
}

TEST(VgaPortsTest, ThePaletteIsLockedWhileItIsShown) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.in(0x3da);
    vga.out(0x3c0, 0x21);
    vga.out(0x3c0, 0x3f);
    EXPECT_EQ(vga.in(0x3c1), 0x01);
    vga.out(0x3c0, 0x01);
    vga.out(0x3c0, 0xff);
    EXPECT_EQ(vga.in(0x3c1), 0x3f);
}

TEST(VgaPortsTest, TheDacTakesAndGivesThreeBytesAtATime) {
    VgaBench vga;
    vga.out(0x3c8, 10);
    for (const std::uint8_t value : {1, 2, 3, 0xff, 5, 6})
        vga.out(0x3c9, value);
    EXPECT_EQ(vga.in(0x3c8), 12);
    EXPECT_EQ(vga.in(0x3c7), 0);
    vga.out(0x3c7, 10);
    EXPECT_EQ(vga.in(0x3c7), 3);
    for (const std::uint8_t value : {1, 2, 3, 0x3f, 5, 6})
        EXPECT_EQ(vga.in(0x3c9), value);
    vga.out(0x3c8, 10);
    vga.out(0x3c9, 0x20);
    vga.out(0x3c7, 10);
    EXPECT_EQ(vga.in(0x3c9), 1) << "an entry changes when its third byte comes";
}

// Counts of a poll loop over one second of mode 3: 70 retraces of 2 lines of 449.
TEST(VgaPortsTest, TheRetraceComesAndGoesInGuestTime) {
    VgaBench vga;
    vga.set_mode(mode_03);
    unsigned retraces = 0, shown = 0, polls = 0;
    bool before = false;
    for (; polls < 100'000; ++polls) {
        const std::uint8_t status = vga.in(0x3da);
        const bool now = (status & 8) != 0;
        retraces += now && !before;
        before = now;
        shown += (status & 1) == 0;
        if (now) EXPECT_NE(status & 1, 0) << "nothing is shown during a retrace";
        vga.bench.advance(10us);
    }
    EXPECT_EQ(retraces, 70u);
    // 80 characters of 100 and 400 lines of 449 are seen.
    EXPECT_NEAR(shown / 100'000.0, 0.8 * 400 / 449, 0.01);
}

TEST(VgaPortsTest, RetraceAlsoInModesOfDispi) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.set_dispi_mode(640, 480, 8);
    unsigned retraces = 0;
    bool before = false;
    for (unsigned polls = 0; polls < 100'000; ++polls, vga.bench.advance(10us)) {
        const bool now = (vga.in(0x3da) & 8) != 0;
        retraces += now && !before;
        before = now;
    }
    EXPECT_EQ(retraces, 60u);
}

TEST(VgaPortsTest, TheVerticalInterruptWaitsToBeCleared) {
    VgaBench vga;
    vga.set_mode(mode_03);
    vga.set_crtc(0x11, 0x1e);
    EXPECT_EQ(vga.in(0x3c2) & 0x80, 0);
    vga.bench.advance(15ms);
    EXPECT_TRUE(vga.bench.level("irq"));
    EXPECT_EQ(vga.in(0x3c2) & 0x80, 0x80);
    EXPECT_EQ(vga.in(0x3da) & 0x08, 0) << "15 ms are more than a frame";
    vga.set_crtc(0x11, 0x0e);
    EXPECT_FALSE(vga.bench.level("irq"));
    EXPECT_EQ(vga.in(0x3c2) & 0x80, 0);
    vga.set_crtc(0x11, 0x1e);
    vga.bench.advance(29ms);
    EXPECT_EQ(vga.bench.rises("irq"), 2u) << "once more, as nobody clears";
    vga.set_crtc(0x11, 0x2e);
    vga.bench.advance(100ms);
    EXPECT_EQ(vga.bench.rises("irq"), 0u);
}

TEST(VgaPortsTest, AResetKeepsColorsAndMemory) {
    VgaBench vga;
    vga.set_mode(mode_13);
    vga.poke(0xa0000, 0x42);
    vga.set_dispi_mode(64, 64, 8, 0xc0);
    vga.bench.reset();
    EXPECT_EQ(vga.dispi(Dispi::enable), 0);
    EXPECT_EQ(vga.in(0x3cc), 0);
    EXPECT_EQ(vga.mode().kind, BACKPLANE_DISPLAY_BLANK);
    EXPECT_EQ(vga.bench.window("framebuffer").read8(0), 0x42);
    vga.out(0x3c7, 0x42);
    EXPECT_EQ(vga.in(0x3c9), 0x02);
    vga.bench.reset(BACKPLANE_RESET_POWER_ON);
    vga.out(0x3c7, 0x42);
    EXPECT_EQ(vga.in(0x3c9), 0);
}

}  // namespace
}  // namespace backplane::display
