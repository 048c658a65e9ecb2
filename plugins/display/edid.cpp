#include "edid.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>

namespace backplane::display {

namespace {

// The timing of VESA CVT 1.2 with reduced blanking: what digital monitors use.
struct Timing {
    unsigned width, height, front_porch, sync, blanking;  // dots
    unsigned line_front_porch, line_sync, line_blanking;  // lines
    unsigned clock_10_khz;
};

// CVT 1.2, table 2: the width of the vertical sync tells the picture's shape.
unsigned sync_lines(unsigned width, unsigned height) {
    if (width * 3 == height * 4) return 4;
    if (width * 9 == height * 16) return 5;
    if (width * 10 == height * 16) return 6;
    if (width * 4 == height * 5 || width * 9 == height * 15) return 7;
    return 10;
}

Timing reduced_blanking(unsigned width, unsigned height) {
    constexpr unsigned blanking = 160, front_porch = 48, sync = 32;
    constexpr unsigned line_front_porch = 3, least_back_porch = 6, refresh = 60;
    // At least 460 us without a picture in each frame of 1/60 s.
    const unsigned lines = height * 460 / (1'000'000 / refresh - 460) + 1;
    const unsigned vertical_sync = sync_lines(width, height);
    const unsigned vertical = std::max(lines, line_front_porch + vertical_sync + least_back_porch);
    // Clocks are multiples of 0.25 MHz.
    const unsigned clock = refresh * (width + blanking) * (height + vertical) / 250'000 * 25;
    return {width,         height,   front_porch, sync, blanking, line_front_porch,
            vertical_sync, vertical, clock};
}

constexpr std::uint8_t low(unsigned value) { return static_cast<std::uint8_t>(value); }

// E-EDID 1.4, table 3.21.
void put_timing(std::uint8_t* to, const Timing& timing, unsigned millimeters_wide,
                unsigned millimeters_high) {
    to[0] = low(timing.clock_10_khz);
    to[1] = low(timing.clock_10_khz >> 8);
    to[2] = low(timing.width);
    to[3] = low(timing.blanking);
    to[4] = low(timing.width >> 8 << 4 | timing.blanking >> 8);
    to[5] = low(timing.height);
    to[6] = low(timing.line_blanking);
    to[7] = low(timing.height >> 8 << 4 | timing.line_blanking >> 8);
    to[8] = low(timing.front_porch);
    to[9] = low(timing.sync);
    to[10] = low((timing.line_front_porch & 15) << 4 | (timing.line_sync & 15));
    to[11] = low(timing.front_porch >> 8 << 6 | timing.sync >> 8 << 4 |
                 timing.line_front_porch >> 4 << 2 | timing.line_sync >> 4);
    to[12] = low(millimeters_wide);
    to[13] = low(millimeters_high);
    to[14] = low(millimeters_wide >> 8 << 4 | millimeters_high >> 8);
    to[17] = 0x1a;  // digital separate sync, horizontal positive as CVT's reduced blanking has it
}

// Tables 3.22 to 3.25: a text or limits in place of a timing.
void put_text(std::uint8_t* to, std::uint8_t tag, std::string_view text) {
    to[3] = tag;
    std::fill_n(to + 5, 13, std::uint8_t{' '});
    std::ranges::copy(text, to + 5);
    to[5 + text.size()] = '\n';
}

void put_limits(std::uint8_t* to, const Timing& timing) {
    to[3] = 0xfd;
    to[5] = 50, to[6] = 125;  // Hz
    to[7] = 30;               // kHz
    to[8] = low(std::min(
        255u, std::max(160u, timing.clock_10_khz * 10 / (timing.width + timing.blanking) + 1)));
    to[9] = low(std::max(25u, timing.clock_10_khz / 1000 + 1));  // 10 MHz
    to[10] = 0x01;                                               // no timing formula
    to[11] = '\n';
    std::fill_n(to + 12, 6, std::uint8_t{' '});
}

// Table 3.19: the width, and 60 Hz at a shape.
void put_standard_timings(std::uint8_t* to) {
    enum Shape : std::uint8_t { to_16_10 = 0x00, to_4_3 = 0x40, to_5_4 = 0x80, to_16_9 = 0xc0 };
    struct Size {
        unsigned width;
        Shape shape;
    };
    constexpr std::array<Size, 8> sizes{{{1920, to_16_9},
                                         {1680, to_16_10},
                                         {1600, to_4_3},
                                         {1440, to_16_10},
                                         {1280, to_5_4},
                                         {1280, to_16_9},
                                         {1280, to_16_10},
                                         {1024, to_4_3}}};
    for (const auto [width, shape] : sizes) {
        *to++ = low(width / 8 - 31);
        *to++ = shape;
    }
}

}  // namespace

Edid edid(std::uint32_t width, std::uint32_t height) {
    width = std::clamp(width, smallest_edid_width, largest_edid_width) & ~7u;
    height = std::clamp(height, smallest_edid_height, largest_edid_height);
    const Timing timing = reduced_blanking(width, height);
    // At 100 dots to the inch.
    const unsigned millimeters_wide = width * 254 / 1000, millimeters_high = height * 254 / 1000;

    Edid edid{0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00};
    edid[8] = ('B' - '@') << 2 | ('K' - '@') >> 3;  // "BKP", five bits for each letter
    edid[9] = (('K' - '@') << 5 & 0xff) | ('P' - '@');
    edid[10] = 1;                          // product
    edid[16] = 1, edid[17] = 2024 - 1990;  // week and year of make
    edid[18] = 1, edid[19] = 4;
    edid[20] = 0xa5;  // digital, 8 bits for each color, DisplayPort
    edid[21] = low(millimeters_wide / 10);
    edid[22] = low(millimeters_high / 10);
    edid[23] = 220 - 100;  // gamma 2.2
    edid[24] = 0x06;       // sRGB; the first timing is the native one
    // The chromaticity of sRGB: x and y of red, green, blue and white, ten bits each.
    constexpr std::array<std::uint8_t, 10> srgb{0xee, 0x91, 0xa3, 0x54, 0x4c,
                                                0x99, 0x26, 0x0f, 0x50, 0x54};
    std::ranges::copy(srgb, edid.begin() + 25);
    edid[35] = 0x21;  // 640x480 and 800x600 at 60 Hz
    edid[36] = 0x08;  // 1024x768 at 60 Hz
    put_standard_timings(&edid[38]);
    put_timing(&edid[54], timing, millimeters_wide, millimeters_high);
    put_limits(&edid[72], timing);
    put_text(&edid[90], 0xfc, "Backplane");
    put_text(&edid[108], 0xff, "1");
    edid[127] = low(256 - std::accumulate(edid.begin(), edid.end() - 1, 0u) % 256);
    return edid;
}

}  // namespace backplane::display
