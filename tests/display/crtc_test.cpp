#include "crtc.h"
#include "vga_modes.h"

#include <gtest/gtest.h>

namespace backplane::display {
namespace {

Crtc crtc_of(const VgaMode& mode) {
    Crtc crtc;
    crtc.registers = mode.crtc;
    return crtc;
}

TEST(CrtcTest, RegistersGiveTheFramesOfTheModes) {
    EXPECT_EQ(crtc_of(mode_03).columns(), 80u);
    EXPECT_EQ(crtc_of(mode_03).total_columns(), 100u);
    EXPECT_EQ(crtc_of(mode_03).lines(), 400u);
    EXPECT_EQ(crtc_of(mode_03).total_lines(), 449u);
    EXPECT_EQ(crtc_of(mode_03).retrace_start(), 412u);
    EXPECT_EQ(crtc_of(mode_03).retrace_lines(), 2u);
    EXPECT_EQ(crtc_of(mode_12).lines(), 480u);
    EXPECT_EQ(crtc_of(mode_12).total_lines(), 525u);
    EXPECT_EQ(crtc_of(mode_12).retrace_start(), 490u);
}

TEST(CrtcTest, ProtectionLeavesOnlyTheLineCompareBit) {
    Crtc crtc = crtc_of(mode_03);  // CR11 is 0x8e
    crtc.index = Crtc::horizontal_total;
    EXPECT_FALSE(crtc.write(0x11));
    EXPECT_EQ(crtc.read(), 0x5f);
    crtc.index = Crtc::overflow;
    EXPECT_TRUE(crtc.write(0x00));
    EXPECT_EQ(crtc.read(), 0x0f);
    crtc.index = Crtc::maximum_scan_line;
    EXPECT_TRUE(crtc.write(0x0f)) << "registers from 8 on are not protected";
    crtc.index = Crtc::vertical_retrace_end;
    EXPECT_TRUE(crtc.write(0x0e));
    crtc.index = Crtc::horizontal_total;
    EXPECT_TRUE(crtc.write(0x11));
}

TEST(CrtcTest, LinesOfTextRows) {
    Crtc crtc = crtc_of(mode_03);
    EXPECT_EQ(crtc.line(0, true).counter, 0);
    EXPECT_EQ(crtc.line(15, true).row_scan, 15);
    EXPECT_EQ(crtc.line(16, true).counter, 80);
    EXPECT_EQ(crtc.line(16, true).row_scan, 0);
    crtc.registers[Crtc::start_address_high] = 0x12;
    crtc.registers[Crtc::start_address_low] = 0x34;
    EXPECT_EQ(crtc.line(399, true).counter, 0x1234 + 24 * 80);
}

TEST(CrtcTest, DoubledLinesAreTwoOfTheSame) {
    const Crtc crtc = crtc_of(mode_0d);
    EXPECT_EQ(crtc.line(0, true).counter, crtc.line(1, true).counter);
    EXPECT_EQ(crtc.line(2, true).counter, 40);
    EXPECT_EQ(crtc.line(399, true).counter, 199 * 40);
}

TEST(CrtcTest, ThePresetRowScanCutsTheFirstRow) {
    Crtc crtc = crtc_of(mode_03);
    crtc.registers[Crtc::preset_row_scan] = 5 | 2 << 5;
    EXPECT_EQ(crtc.line(0, true).row_scan, 5);
    EXPECT_EQ(crtc.line(0, true).counter, 2) << "byte panning";
    EXPECT_EQ(crtc.line(10, true).row_scan, 15);
    EXPECT_EQ(crtc.line(11, true).row_scan, 0);
    EXPECT_EQ(crtc.line(11, true).counter, 82);
}

TEST(CrtcTest, APresetBeyondTheRowGoesRoundTheCounter) {
    Crtc crtc = crtc_of(mode_03);
    crtc.registers[Crtc::preset_row_scan] = 30;
    EXPECT_EQ(crtc.line(1, true).row_scan, 31);
    EXPECT_EQ(crtc.line(2, true).row_scan, 0);
    EXPECT_EQ(crtc.line(17, true).row_scan, 15);
    EXPECT_EQ(crtc.line(17, true).counter, 0);
    EXPECT_EQ(crtc.line(18, true).counter, 80);
}

TEST(CrtcTest, BelowTheLineCompareThePictureStartsAtZero) {
    Crtc crtc = crtc_of(mode_12);
    crtc.registers[Crtc::start_address_high] = 0x80;
    crtc.registers[Crtc::line_compare] = 0x2c;  // 300
    crtc.registers[Crtc::preset_row_scan] = 3 << 5;
    crtc.registers[Crtc::maximum_scan_line] &= 0xbf;
    EXPECT_EQ(crtc.line(300, true).counter, 0x8003 + 300 * 80);
    EXPECT_FALSE(crtc.line(300, true).is_below_split);
    EXPECT_EQ(crtc.line(301, true).counter, 3);
    EXPECT_TRUE(crtc.line(301, true).is_below_split);
    EXPECT_EQ(crtc.line(301, false).counter, 0) << "the lower part need not pan";
    EXPECT_EQ(crtc.line(303, false).counter, 160);
}

TEST(CrtcTest, AddressesByBytesWordsAndDoublewords) {
    EXPECT_EQ(crtc_of(mode_12).address(0x1234, 0), 0x1234u);
    EXPECT_EQ(crtc_of(mode_03).address(0x1234, 0), 0x2468u);
    EXPECT_EQ(crtc_of(mode_03).address(0x8001, 0), 0x0003u) << "bit 15 comes back as bit 0";
    EXPECT_EQ(crtc_of(mode_13).address(0x1234, 0), 0x48d1u) << "bits 13 and 12 as 1 and 0";
}

TEST(CrtcTest, TheRowScanReplacesAddressBits) {
    EXPECT_EQ(crtc_of(mode_06).address(0x0010, 0), 0x0010u);
    EXPECT_EQ(crtc_of(mode_06).address(0x0010, 1), 0x2010u);
    Crtc hercules = crtc_of(mode_06);
    hercules.registers[Crtc::mode_control] = 0xc0;
    EXPECT_EQ(hercules.address(0x0010, 3), 0x6010u);
}

TEST(CrtcTest, TheCounterCanCountEverySecondAndFourthCharacter) {
    Crtc crtc = crtc_of(mode_12);
    EXPECT_EQ(crtc.counter(100, 7), 107);
    crtc.registers[Crtc::mode_control] |= 0x08;
    EXPECT_EQ(crtc.counter(100, 7), 103);
    crtc.registers[Crtc::underline_location] |= 0x20;
    EXPECT_EQ(crtc.counter(100, 7), 101);
}

TEST(CrtcTest, TheCursorIsShownUnlessItsLinesAreNone) {
    Crtc crtc = crtc_of(mode_03);
    crtc.registers[Crtc::cursor_location_high] = 0x01;
    crtc.registers[Crtc::cursor_location_low] = 0x02;
    EXPECT_EQ(crtc.cursor(), (Crtc::Cursor{0x102, 13, 14, true}));
    crtc.registers[Crtc::cursor_end] = 0x2e;
    EXPECT_EQ(crtc.cursor().counter, 0x103) << "skewed";
    crtc.registers[Crtc::cursor_start] = 0x2d;
    EXPECT_FALSE(crtc.cursor().is_visible) << "switched off";
    crtc.registers[Crtc::cursor_start] = 0x0f;
    EXPECT_FALSE(crtc.cursor().is_visible) << "starts below its end";
    crtc.registers[Crtc::cursor_start] = 0x10;
    crtc.registers[Crtc::cursor_end] = 0x1f;
    EXPECT_FALSE(crtc.cursor().is_visible) << "below the row";
}

}  // namespace
}  // namespace backplane::display
