// The card as a component: what every device owes.
#include "vga_bench.h"

#include <backplane/testing/script.h>

#include <random>

namespace backplane::display {
namespace {

using namespace std::chrono_literals;

TEST(VgaCardTest, SurvivesASnapshot) {
    VgaBench vga;
    vga.set_mode(mode_x);
    vga.poke(0xa0010, 0x77);
    vga.set_crtc(0x11, 0x1c);  // with the vertical interrupt
    vga.peek(0xa0010);
    vga.out(0x3c7, 5);
    vga.in(0x3c9);
    vga.display().call<&backplane_display::prefer_size>(1024u, 768u);
    EXPECT_EQ(testing::round_trip(vga.bench), "");
}

TEST(VgaCardTest, ARestoredCardShowsTheSame) {
    VgaBench vga, other;
    vga.set_mode(mode_03);
    vga.load_glyph('A', {0x80, 0x40});
    vga.put_text(0, "AAA", 0x1e);
    EXPECT_EQ(testing::round_trip(vga.bench, other.bench), "");
    EXPECT_EQ(other.pixels(0, 0, 720, 400), vga.pixels(0, 0, 720, 400));
}

// The frame is read again and again while the registers hold nonsense.
TEST(VgaCardTest, BearsRandomAccesses) {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        VgaBench vga;
        std::mt19937 random{seed};
        for (int round = 0; round < 20; ++round) {
            std::vector<std::uint8_t> bytes(5'000);
            for (auto& byte : bytes)
                byte = static_cast<std::uint8_t>(random());
            testing::Script{vga.bench}.play(bytes);
            vga.set_dispi_mode(random() & 0x7ff, random() & 0x7ff, random() & 0x3f, random());
            if ((random() & 1) != 0) vga.dispi(Dispi::enable, 0);
            const auto mode = vga.mode();
            ASSERT_GE(mode.width, 1u);
            ASSERT_LE(mode.width, BACKPLANE_DISPLAY_LARGEST_SIDE);
            ASSERT_GE(mode.height, 1u);
            ASSERT_LE(mode.height, BACKPLANE_DISPLAY_LARGEST_SIDE);
            vga.pixels(0, 0, mode.width, mode.height);
            std::vector<std::uint64_t> rows((mode.height + 63) / 64);
            vga.display().call<&backplane_display::changes>(std::uint64_t{1}, rows.data(),
                                                            mode.height);
        }
        EXPECT_EQ(testing::round_trip(vga.bench), "");
    }
}

TEST(VgaCardTest, RefusesMemoryThatIsNoPowerOfTwo) {
    DeviceBench bench{Declaration<IsaVga>::device_type(), {{"memory", Bytes{3 << 20}}}};
    EXPECT_FALSE(bench.power_on());
    EXPECT_EQ(bench.failure(), "memory must be a power of two");
}

TEST(VgaCardTest, CountsWhatGoesThroughTheWindow) {
    VgaBench vga;
    vga.set_mode(mode_13);
    vga.bench.window("window").write32(0, 1);
    vga.peek(0xa0000);
    EXPECT_EQ(vga.bench.statistic("window.writes"), 4u);
    EXPECT_EQ(vga.bench.statistic("window.reads"), 1u);
}

// A presenter compiled against an older interface gets what it knows.
TEST(VgaCardTest, WritesNoMoreThanThePresenterKnows) {
    VgaBench vga;
    vga.set_mode(mode_03);
    backplane_display_mode mode{};
    mode.struct_size = offsetof(backplane_display_mode, height);
    mode.height = 0x1234;
    vga.display().call<&backplane_display::mode>(&mode);
    EXPECT_EQ(mode.struct_size, offsetof(backplane_display_mode, height));
    EXPECT_EQ(mode.width, 720u);
    EXPECT_EQ(mode.height, 0x1234u);
}

}  // namespace
}  // namespace backplane::display
