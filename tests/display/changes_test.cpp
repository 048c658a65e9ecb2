// Which rows are said to have changed. The host here notices writes, unlike that of the bench.
#include "frame_changes.h"
#include "vga_modes.h"

#include <backplane/testing/fake_host.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace backplane::display {
namespace {

using namespace std::chrono_literals;

class ChangesTest : public ::testing::Test {
protected:
    ChangesTest() {
        host = *fake.functions();
        host.track_dirty = [](void*, void*, std::int32_t) {};
        host.take_dirty = [](void*, void*, std::uint64_t, std::uint64_t pages,
                             std::uint64_t* bitmap) {
            std::fill_n(bitmap, (pages + 63) / 64, 0);
            for (const std::uint64_t page : written)
                bitmap[page / 64] |= std::uint64_t{1} << page % 64;
            written.clear();
        };
        written.clear();
        EXPECT_TRUE(chip.memory.allocate(host, 1 << 20));
    }

    void set_mode(const VgaMode& mode) {
        chip.miscellaneous_output = mode.misc;
        chip.sequencer.registers = mode.sequencer;
        chip.crtc.registers = mode.crtc;
        chip.graphics.registers = mode.graphics;
        chip.attribute.registers = mode.attribute;
        chip.attribute.address = 0x20;
        chip.picture_changed = true;
        look();
    }

    // Rows that are new since the look before, as ranges of first and last.
    std::vector<std::pair<unsigned, unsigned>> look() { return look(since); }
    std::vector<std::pair<unsigned, unsigned>> look(std::uint64_t& presenter) {
        std::vector<std::uint64_t> bits(16);
        presenter = changes.tell(chip, now, presenter, bits.data(), 1024);
        std::vector<std::pair<unsigned, unsigned>> ranges;
        for (unsigned row = 0; row < 1024; ++row) {
            if ((bits[row / 64] >> row % 64 & 1) == 0) continue;
            if (!ranges.empty() && ranges.back().second + 1 == row)
                ++ranges.back().second;
            else
                ranges.emplace_back(row, row);
        }
        return ranges;
    }

    void set_crtc(unsigned index, unsigned value) {
        chip.write_port(0x3d4, static_cast<std::uint8_t>(index));
        chip.write_port(0x3d5, static_cast<std::uint8_t>(value));
    }

    using Ranges = std::vector<std::pair<unsigned, unsigned>>;
    static inline std::vector<std::uint64_t> written;  // pages, by the guest directly
    testing::FakeClock clock;
    testing::FakeHost fake{clock};
    backplane_host host;
    VgaChip chip;
    FrameChanges changes;
    Duration now{0};
    std::uint64_t since = 0;
};

TEST_F(ChangesTest, NothingIsNewWhenNothingHappens) {
    set_mode(mode_12);
    EXPECT_EQ(look(), Ranges{});
    std::uint64_t other = 0;
    EXPECT_EQ(look(other), (Ranges{{0, 479}})) << "a presenter that comes later sees all";
    EXPECT_EQ(look(), Ranges{});
}

TEST_F(ChangesTest, AWriteIsSeenByEachPresenterOnce) {
    set_mode(mode_12);
    std::uint64_t other = since;
    chip.write_window(80 * 100, 0xff);
    // 4 KiB of memory hold 1024 bytes of each plane, 12.8 rows; offset 8000 is in those from 7168
    // to 8191, so of rows 89 to 102.
    EXPECT_EQ(look(), (Ranges{{89, 102}}));
    EXPECT_EQ(look(), Ranges{});
    EXPECT_EQ(look(other), (Ranges{{89, 102}}));
    EXPECT_EQ(look(other), Ranges{});
}

TEST_F(ChangesTest, TextChangesRowsOfCharacters) {
    set_mode(mode_03);
    chip.write_window(0x18000 + 2 * 80 * 24, 'A');
    const auto rows = look();
    ASSERT_EQ(rows.size(), 1u);
    EXPECT_GE(rows[0].first, 16u * 18);
    EXPECT_LE(rows[0].first, 16u * 24);
    EXPECT_EQ(rows[0].second, 399u);
}

TEST_F(ChangesTest, DirectWritesToTheFramebuffer) {
    chip.attribute.address = 0x20;
    for (const auto [index, value] : {std::pair{Dispi::xres, 256},
                                      {Dispi::yres, 64},
                                      {Dispi::bpp, 32},
                                      {Dispi::enable, 0x41}}) {
        chip.write_dispi(index, static_cast<std::uint16_t>(value));
    }
    EXPECT_EQ(look(), (Ranges{{0, 63}}));
    written = {3, 200};  // four rows lie in a page
    // and one more, whose end touches it
    EXPECT_EQ(look(), (Ranges{{11, 15}}));
    EXPECT_EQ(look(), Ranges{});
}

TEST_F(ChangesTest, ColorsAndModesChangeEverything) {
    set_mode(mode_12);
    chip.write_port(0x3c8, 5);
    for (int i = 0; i < 3; ++i)
        chip.write_port(0x3c9, 63);
    EXPECT_EQ(look(), (Ranges{{0, 479}}));
    chip.write_port(0x3c6, 0xff);
    EXPECT_EQ(look(), Ranges{}) << "a value it had";
    set_crtc(0x0d, 1);
    EXPECT_EQ(look(), (Ranges{{0, 479}}));
    chip.sequencer.registers[1] |= 0x20;
    EXPECT_EQ(look(), (Ranges{{0, 479}})) << "blank";
    chip.write_window(0, 0xff);
    EXPECT_EQ(look(), Ranges{});
    chip.sequencer.registers[1] &= 0xdf;
    EXPECT_EQ(look(), (Ranges{{0, 479}}));
}

TEST_F(ChangesTest, ACursorThatMovesChangesTwoRows) {
    set_mode(mode_03);
    set_crtc(0x0f, 81);
    EXPECT_EQ(look(), (Ranges{{0, 31}}));
    set_crtc(0x0f, 82);
    EXPECT_EQ(look(), (Ranges{{16, 31}}));
    set_crtc(0x0a, 0x2d);
    EXPECT_EQ(look(), (Ranges{{16, 31}}));
    set_crtc(0x0f, 200);
    EXPECT_EQ(look(), Ranges{}) << "one that is switched off is nowhere";
}

TEST_F(ChangesTest, BlinkingChangesWhatBlinks) {
    set_mode(mode_03);
    chip.write_window(0x18000 + 2 * 80 * 3 + 1, 0x87);
    set_crtc(0x0f, 80);
    look();
    now += 9 * 14'268'600ns;
    EXPECT_EQ(look(), (Ranges{{16, 31}})) << "the cursor";
    now += 8 * 14'268'600ns;
    EXPECT_EQ(look(), (Ranges{{16, 31}, {48, 63}})) << "cursor and characters";
    EXPECT_EQ(look(), Ranges{});
}

TEST_F(ChangesTest, NewGlyphsChangeEverything) {
    set_mode(mode_03);
    chip.sequencer.registers[2] = 0x04;
    chip.write_window(0x18000, 0x55);
    EXPECT_EQ(look(), (Ranges{{0, 399}}));
}

}  // namespace
}  // namespace backplane::display
