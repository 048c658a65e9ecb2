// The text screen: pixels against the bytes of the font, and the cells as presenters read them.
#include "vga_bench.h"

#include <gmock/gmock.h>

namespace backplane::display {
namespace {

using namespace std::chrono_literals;

// In mode 3 the palette sends dot 7 to entry 0x07, dot 1 to 1, dot 15 to 0x3f.
constexpr std::uint32_t gray = VgaBench::color(0x07), black = VgaBench::color(0x00),
                        blue = VgaBench::color(0x01), white = VgaBench::color(0x3f);

const std::vector<std::uint8_t> corner{0x80, 0x01, 0xff, 0x00, 0x00, 0x00, 0x00, 0x00,
                                       0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x81};

std::vector<std::uint32_t> dots(std::string_view picture, std::uint32_t on, std::uint32_t off) {
    std::vector<std::uint32_t> dots;
    for (const char dot : picture)
        dots.push_back(dot == '#' ? on : off);
    return dots;
}

// Frames of 1/70 s in mode 3: the cursor is on for 8, characters for 16.
constexpr Duration frame = 14'268'600ns;

class TextTest : public ::testing::Test {
protected:
    TextTest() {
        vga.set_mode(mode_03);
        vga.load_glyph('A', corner);
        vga.set_crtc(0x0e, 0x10);  // the cursor out of the way
    }
    VgaBench vga;
};

TEST_F(TextTest, TheModeIs80By25CellsOf9By16) {
    const auto mode = vga.mode();
    EXPECT_EQ(mode.kind, BACKPLANE_DISPLAY_TEXT);
    EXPECT_EQ(mode.width, 720u);
    EXPECT_EQ(mode.height, 400u);
    EXPECT_EQ(mode.columns, 80u);
    EXPECT_EQ(mode.rows, 25u);
    EXPECT_EQ(mode.cell_width, 9u);
    EXPECT_EQ(mode.cell_height, 16u);
    EXPECT_EQ(mode.refresh_mhz, 70086u);
}

TEST_F(TextTest, CharactersShowTheBytesOfTheFont) {
    vga.put_text(81, "A", 0x17);
    EXPECT_EQ(vga.pixels(9, 16, 9), dots("#........", gray, blue));
    EXPECT_EQ(vga.pixels(9, 17, 9), dots(".......#.", gray, blue));
    EXPECT_EQ(vga.pixels(9, 18, 9), dots("########.", gray, blue));
    EXPECT_EQ(vga.pixels(9, 19, 9), dots(".........", gray, blue));
    EXPECT_EQ(vga.pixels(9, 31, 9), dots("#......#.", gray, blue));
    EXPECT_EQ(vga.pixel(8, 16), black) << "the cell to the left is empty";
    EXPECT_EQ(vga.pixel(18, 16), black);
}

TEST_F(TextTest, EightDotCharactersHaveNoGap) {
    vga.set_sequencer(1, 0x01);
    vga.put_text(0, "AA", 0x07);
    EXPECT_EQ(vga.mode().width, 640u);
    EXPECT_EQ(vga.pixels(0, 0, 16), dots("#.......#.......", gray, black));
}

TEST_F(TextTest, LineGraphicsGoOnIntoTheNinthDot) {
    vga.load_glyph(0xc4, corner);
    vga.load_glyph(0xe0, corner);
    vga.poke(0xb8000, 0xc4);
    vga.poke(0xb8001, 0x07);
    vga.poke(0xb8002, 0xe0);
    vga.poke(0xb8003, 0x07);
    EXPECT_EQ(vga.pixels(0, 1, 18), dots(".......##.......#.", gray, black));
    vga.set_attribute(0x10, 0x08);
    EXPECT_EQ(vga.pixels(0, 1, 9), dots(".......#.", gray, black));
}

TEST_F(TextTest, FortyColumnsAreTwiceAsWide) {
    vga.set_mode(mode_01);
    vga.put_text(40, "A");
    const auto mode = vga.mode();
    EXPECT_EQ(mode.width, 720u);
    EXPECT_EQ(mode.columns, 40u);
    EXPECT_EQ(mode.cell_width, 18u);
    EXPECT_EQ(vga.pixels(0, 17, 18), dots("..............##..", gray, black));
}

TEST_F(TextTest, BrightBackgroundsInPlaceOfBlinking) {
    vga.put_text(0, "A", 0x97);
    EXPECT_EQ(vga.pixel(1, 0), blue);
    vga.set_attribute(0x10, 0x04);
    EXPECT_EQ(vga.pixel(1, 0), VgaBench::color(0x39));
}

TEST_F(TextTest, BlinkingCharactersComeAndGoEvery16Frames) {
    vga.put_text(0, "A", 0x97);
    EXPECT_EQ(vga.pixel(0, 0), gray);
    vga.bench.advance(15 * frame);
    EXPECT_EQ(vga.pixel(0, 0), gray);
    vga.bench.advance(2 * frame);
    EXPECT_EQ(vga.pixel(0, 0), blue);
    vga.bench.advance(16 * frame);
    EXPECT_EQ(vga.pixel(0, 0), gray);
}

TEST_F(TextTest, TheCursorCoversItsLinesAndBlinksEvery8Frames) {
    vga.put_text(5, "A", 0x1f);
    vga.set_crtc(0x0e, 0);
    vga.set_crtc(0x0f, 5);
    EXPECT_EQ(vga.pixels(45, 12, 9), dots(".........", white, blue));
    EXPECT_EQ(vga.pixels(45, 13, 9), dots("#########", white, blue));
    EXPECT_EQ(vga.pixels(45, 14, 9), dots("#########", white, blue));
    EXPECT_EQ(vga.pixels(45, 15, 9), dots("#......#.", white, blue));
    vga.bench.advance(9 * frame);
    EXPECT_EQ(vga.pixels(45, 13, 9), dots(".........", white, blue));
    EXPECT_EQ(vga.text().cursor_visible, 1u) << "between two blinks";
    vga.bench.advance(8 * frame);
    EXPECT_EQ(vga.pixels(45, 13, 9), dots("#########", white, blue));
}

TEST_F(TextTest, MonochromeUnderlines) {
    vga.put_text(0, "AA", 0x07);  // clears where mode 7 looks
    vga.set_mode(mode_07);
    vga.poke(0xb0000, 'A');
    vga.poke(0xb0001, 0x01);
    vga.poke(0xb0002, 'A');
    vga.poke(0xb0003, 0x07);
    EXPECT_EQ(vga.pixels(0, 13, 18), dots("#########.........", VgaBench::color(8), black));
    EXPECT_EQ(vga.cells()[0].flags, BACKPLANE_DISPLAY_CELL_UNDERLINED);
    EXPECT_EQ(vga.cells()[1].flags, 0u);
}

TEST_F(TextTest, AttributeBit3ChoosesBetweenTwoFonts) {
    vga.load_glyph('A', {0x55}, 0x4000);
    vga.set_sequencer(3, 0x04);  // font A is map 1, font B map 0
    vga.put_text(0, "A", 0x07);
    vga.put_text(1, "A", 0x0f);
    EXPECT_EQ(vga.pixels(0, 0, 9), dots("#........", gray, black));
    EXPECT_EQ(vga.pixels(9, 0, 9), dots(".#.#.#.#.", white, black));
    EXPECT_EQ(vga.cells()[0].character, 'A');
    EXPECT_EQ(vga.cells()[1].character, 'A' + 256);
}

TEST_F(TextTest, AllEightFontsLieWhereTheyShould) {
    constexpr std::array<unsigned, 8> offsets{0x0000, 0x4000, 0x8000, 0xc000,
                                              0x2000, 0x6000, 0xa000, 0xe000};
    for (unsigned map = 0; map < 8; ++map)
        vga.load_glyph('A', {static_cast<std::uint8_t>(0x80 >> map)}, offsets[map]);
    vga.put_text(0, "A", 0x07);
    vga.put_text(1, "A", 0x0f);
    for (unsigned map = 0; map < 8; ++map) {
        vga.set_sequencer(3, (map & 3) | (map & 4) << 2);
        EXPECT_EQ(vga.pixel(map, 0), gray) << map;
        vga.set_sequencer(3, (map & 3) << 2 | (map & 4) << 3);
        EXPECT_EQ(vga.pixel(9 + map, 0), white) << map;
    }
}

TEST_F(TextTest, PanningMovesByDots) {
    vga.put_text(0, "AA");
    vga.set_attribute(0x13, 3);
    EXPECT_EQ(vga.pixels(0, 0, 9), dots(".....#...", gray, black));
    vga.set_attribute(0x13, 8);
    EXPECT_EQ(vga.pixels(0, 0, 10), dots("#........#", gray, black));
    vga.set_attribute(0x13, 7);
    vga.put_text(80, "A");
    EXPECT_EQ(vga.pixel(719, 0), black);
    EXPECT_EQ(vga.pixel(712, 0), gray) << "a ninetieth of the 81st character comes into sight";
}

TEST_F(TextTest, TheStartAddressScrolls) {
    vga.put_text(80, "A");
    vga.set_crtc(0x0d, 80);
    EXPECT_EQ(vga.pixel(0, 0), gray);
    vga.set_crtc(0x08, 2);
    EXPECT_EQ(vga.pixels(0, 0, 9), dots("########.", gray, black));
}

TEST_F(TextTest, CellsHoldCharactersAndColors) {
    vga.put_text(82, "A", 0xce);
    const auto cells = vga.cells();
    ASSERT_EQ(cells.size(), 2000u);
    EXPECT_EQ(cells[82].character, 'A');
    EXPECT_EQ(cells[82].foreground, 14);
    EXPECT_EQ(cells[82].background, 4);
    EXPECT_EQ(cells[82].flags, BACKPLANE_DISPLAY_CELL_BLINKS);
    vga.set_crtc(0x0e, 0);
    vga.set_crtc(0x0f, 82);
    const auto text = vga.text();
    EXPECT_EQ(text.cursor_column, 2);
    EXPECT_EQ(text.cursor_row, 1);
    EXPECT_EQ(text.cursor_visible, 1u);
    EXPECT_EQ(text.cursor_first_line, 13u);
    EXPECT_EQ(text.cursor_last_line, 14u);
    EXPECT_EQ(text.palette[14], VgaBench::color(0x3e));
}

TEST_F(TextTest, ACursorOutOfSightIsNowhere) {
    EXPECT_EQ(vga.text().cursor_column, -1);
    EXPECT_EQ(vga.text().cursor_visible, 0u);
}

TEST_F(TextTest, NoTextOnABlankScreen) {
    vga.put_text(0, "A");
    vga.in(0x3da);
    vga.out(0x3c0, 0x00);
    EXPECT_EQ(vga.mode().kind, BACKPLANE_DISPLAY_BLANK);
    EXPECT_EQ(vga.mode().width, 720u);
    EXPECT_EQ(vga.pixel(0, 0), 0u);
    backplane_display_text text{};
    text.struct_size = sizeof text;
    EXPECT_EQ(vga.display().call<&backplane_display::read_text>(
                  &text, static_cast<backplane_display_cell*>(nullptr), 0u),
              0);
    vga.out(0x3c0, 0x20);
    EXPECT_EQ(vga.mode().kind, BACKPLANE_DISPLAY_BLANK) << "that was data";
    vga.in(0x3da);
    vga.out(0x3c0, 0x20);
    EXPECT_EQ(vga.mode().kind, BACKPLANE_DISPLAY_TEXT);
    vga.set_sequencer(1, 0x20);
    EXPECT_EQ(vga.mode().kind, BACKPLANE_DISPLAY_BLANK);
}

}  // namespace
}  // namespace backplane::display
