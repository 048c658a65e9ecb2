#include "edid.h"

#include <gtest/gtest.h>

#include <numeric>

namespace backplane::display {
namespace {

unsigned width(const Edid& edid) { return edid[54 + 2] | (edid[54 + 4] & 0xf0u) << 4; }
unsigned height(const Edid& edid) { return edid[54 + 5] | (edid[54 + 7] & 0xf0u) << 4; }
unsigned clock_10_khz(const Edid& edid) { return edid[54] | edid[55] << 8; }

// The clocks and blanking of CVT 1.2 with reduced blanking, as published for these sizes.
TEST(EdidTest, ThePreferredTimingIsCvtReducedBlanking) {
    struct Case {
        unsigned width, height, clock, lines;
    };
    for (const auto [w, h, clock, lines] :
         {Case{1280, 800, 7100, 823}, Case{1920, 1080, 13850, 1111}, Case{1024, 768, 5600, 790},
          Case{1920, 1200, 15400, 1235}, Case{2560, 1600, 26850, 1646}}) {
        const Edid block = edid(w, h);
        EXPECT_EQ(width(block), w);
        EXPECT_EQ(height(block), h);
        EXPECT_EQ(clock_10_khz(block), clock) << w;
        EXPECT_EQ(block[54 + 3], 160) << "horizontal blanking";
        EXPECT_EQ(block[54 + 6] + h, lines) << w;
    }
}

TEST(EdidTest, HeaderAndChecksumHold) {
    for (const unsigned w : {0u, 640u, 1366u, 1920u, 0xffffffffu})
        for (const unsigned h : {0u, 480u, 1080u, 0xffffffffu}) {
            const Edid block = edid(w, h);
            EXPECT_EQ(std::accumulate(block.begin(), block.end(), 0u) % 256, 0u);
            EXPECT_EQ(block[0], 0x00);
            EXPECT_EQ(block[1], 0xff);
            EXPECT_EQ(block[7], 0x00);
            EXPECT_EQ(block[18], 1);
            EXPECT_EQ(width(block) % 8, 0u);
            EXPECT_GE(width(block), smallest_edid_width);
            EXPECT_LE(width(block), largest_edid_width);
            EXPECT_LE(height(block), largest_edid_height);
        }
}

}  // namespace
}  // namespace backplane::display
