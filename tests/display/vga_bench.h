// A graphics card on a bench, programmed through its ports as a BIOS does it, and looked at through
// backplane.display/1.
#pragma once

#include "isa_vga.h"
#include "vga_modes.h"

#include <backplane/declaration.h>
#include <backplane/testing/device_bench.h>
#include <backplane/testing/round_trip.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace backplane::display {

using testing::DeviceBench;
using testing::Setting;

class VgaBench {
public:
    explicit VgaBench(std::vector<Setting> settings = {{"memory", Bytes{1 << 20}}})
        : bench{Declaration<IsaVga>::device_type(), std::move(settings)} {
        EXPECT_TRUE(bench.power_on()) << bench.failure();
    }

    // ---- The guest ----
    void out(unsigned port, std::uint8_t value) {
        port < 0x3c0 ? bench.window("mono-ports").write8(port - 0x3b0, value)
                     : bench.window("ports").write8(port - 0x3c0, value);
    }
    std::uint8_t in(unsigned port) {
        return port < 0x3c0 ? bench.window("mono-ports").read8(port - 0x3b0)
                            : bench.window("ports").read8(port - 0x3c0);
    }
    void set_sequencer(unsigned index, unsigned value) { set(0x3c4, index, value); }
    void set_graphics(unsigned index, unsigned value) { set(0x3ce, index, value); }
    void set_crtc(unsigned index, unsigned value) { set(crtc_port(), index, value); }
    void set_attribute(unsigned index, unsigned value) {
        in(crtc_port() + 6);
        out(0x3c0, static_cast<std::uint8_t>(index));
        out(0x3c0, static_cast<std::uint8_t>(value));
        out(0x3c0, 0x20);
    }
    std::uint8_t get(unsigned port, unsigned index) {
        out(port, static_cast<std::uint8_t>(index));
        return in(port + 1);
    }

    // A gray that tells the entry's number apart from all others.
    static constexpr std::uint32_t color(unsigned entry) {
        const auto wide = [](unsigned six) { return six << 2 | six >> 4; };
        return wide(entry & 63) << 16 | wide(entry >> 2 & 63) << 8 | wide(entry >> 6);
    }

    void set_mode(const VgaMode& mode) {
        out(0x3c2, mode.misc);
        for (unsigned i = 0; i < mode.sequencer.size(); ++i)
            set_sequencer(i, mode.sequencer[i]);
        set_crtc(0x11, 0x00);
        for (unsigned i = 0; i < mode.crtc.size(); ++i)
            set_crtc(i, mode.crtc[i]);
        for (unsigned i = 0; i < mode.graphics.size(); ++i)
            set_graphics(i, mode.graphics[i]);
        for (unsigned i = 0; i < mode.attribute.size(); ++i)
            set_attribute(i, mode.attribute[i]);
        out(0x3c6, 0xff);
        out(0x3c8, 0);
        for (unsigned entry = 0; entry < 256; ++entry) {
            out(0x3c9, static_cast<std::uint8_t>(entry & 63));
            out(0x3c9, static_cast<std::uint8_t>(entry >> 2 & 63));
            out(0x3c9, static_cast<std::uint8_t>(entry >> 6));
        }
    }

    void dispi(unsigned index, unsigned value) {
        bench.window("dispi-ports").write16(0, static_cast<std::uint16_t>(index));
        bench.window("dispi-ports").write16(1, static_cast<std::uint16_t>(value));
    }
    std::uint16_t dispi(unsigned index) {
        bench.window("dispi-ports").write16(0, static_cast<std::uint16_t>(index));
        return bench.window("dispi-ports").read16(1);
    }
    void set_dispi_mode(unsigned width, unsigned height, unsigned bits, unsigned flags = 0x40) {
        dispi(Dispi::enable, 0);
        dispi(Dispi::xres, width);
        dispi(Dispi::yres, height);
        dispi(Dispi::bpp, bits);
        dispi(Dispi::enable, 1 | flags);
        in(crtc_port() + 6);
        out(0x3c0, 0x20);
    }

    // Of the legacy window, by the address on the bus.
    void poke(std::uint32_t address, std::uint8_t value) {
        bench.window("window").write8(address - 0xa0000, value);
    }
    std::uint8_t peek(std::uint32_t address) {
        return bench.window("window").read8(address - 0xa0000);
    }

    void put_text(unsigned at, std::string_view text, std::uint8_t attribute = 0x07) {
        for (const char character : text) {
            poke(0xb8000 + 2 * at, static_cast<std::uint8_t>(character));
            poke(0xb8000 + 2 * at + 1, attribute);
            ++at;
        }
    }

    // As a BIOS loads fonts: plane 2, neither odd/even nor chained.
    void load_glyph(std::uint8_t character, const std::vector<std::uint8_t>& lines,
                    unsigned font = 0) {
        set_sequencer(2, 0x04);
        set_sequencer(4, 0x06);
        set_graphics(5, 0x00);
        set_graphics(6, 0x04);
        for (unsigned i = 0; i < lines.size(); ++i)
            poke(0xa0000 + font + character * 32u + i, lines[i]);
        set_sequencer(2, 0x03);
        set_sequencer(4, 0x02);
        set_graphics(5, 0x10);
        set_graphics(6, 0x0e);
    }

    // ---- The presenter ----
    Connection<backplane_display> display() { return bench.service<backplane_display>("display"); }
    backplane_display_mode mode() {
        backplane_display_mode mode{};
        mode.struct_size = sizeof mode;
        display().call<&backplane_display::mode>(&mode);
        return mode;
    }
    std::vector<std::uint32_t> pixels(std::uint32_t x, std::uint32_t y, std::uint32_t width,
                                      std::uint32_t height = 1) {
        std::vector<std::uint32_t> pixels(std::size_t{width} * height, 0xdeadbeef);
        display().call<&backplane_display::read_pixels>(x, y, width, height, pixels.data(),
                                                        std::uint64_t{width});
        return pixels;
    }
    std::uint32_t pixel(std::uint32_t x, std::uint32_t y) { return pixels(x, y, 1).front(); }
    backplane_display_text text() {
        backplane_display_text text{};
        text.struct_size = sizeof text;
        EXPECT_EQ(display().call<&backplane_display::read_text>(
                      &text, static_cast<backplane_display_cell*>(nullptr), 0u),
                  1);
        return text;
    }
    std::vector<backplane_display_cell> cells() {
        backplane_display_text text = this->text();
        std::vector<backplane_display_cell> cells(std::size_t{text.columns} * text.rows);
        display().call<&backplane_display::read_text>(&text, cells.data(),
                                                      static_cast<std::uint32_t>(cells.size()));
        return cells;
    }

    DeviceBench bench;

private:
    void set(unsigned port, unsigned index, unsigned value) {
        out(port, static_cast<std::uint8_t>(index));
        out(port + 1, static_cast<std::uint8_t>(value));
    }
    unsigned crtc_port() { return (in(0x3cc) & 1) != 0 ? 0x3d4 : 0x3b4; }
};

}  // namespace backplane::display
