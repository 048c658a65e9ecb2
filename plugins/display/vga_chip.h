// The chip: its parts put together behind ports and the legacy window. It knows no bus; whoever
// owns it decides where the guest finds these.
#pragma once

#include "attribute_controller.h"
#include "crtc.h"
#include "dac.h"
#include "dispi.h"
#include "graphics_controller.h"
#include "scan_timing.h"
#include "sequencer.h"
#include "video_memory.h"

namespace backplane::display {

struct VgaChip {
    std::uint8_t miscellaneous_output = 0;
    std::uint8_t feature_control = 0;
    std::uint8_t subsystem_enable = 1;  // port 0x3C3
    bool retrace_pending = false;       // the vertical interrupt's latch
    bool is_big_endian = false;         // how the guest writes pixels into the framebuffer
    Sequencer sequencer;
    Crtc crtc;
    GraphicsController graphics;
    AttributeController attribute;
    Dac dac;
    Dispi dispi;
    VideoMemory memory;

    // Something other than memory and the cursor that shows has changed; whoever looks clears it.
    bool picture_changed = true;

    // The reset line: registers are as after power-on, colors and memory stay.
    void reset();

    // ---- Ports 0x3B0 to 0x3DF (vga_ports.cpp) ----
    std::uint8_t read_port(unsigned port, Duration now);
    void write_port(unsigned port, std::uint8_t value);
    [[nodiscard]] bool interrupts_on_retrace() const;

    // ---- 0xA0000 to 0xBFFFF, from 0 (vga_window.cpp) ----
    std::uint8_t read_window(std::uint32_t address);
    void write_window(std::uint32_t address, std::uint8_t value);
    // The first 64 KiB of it are those of the framebuffer from bank_start on, and the rest nothing.
    [[nodiscard]] bool window_is_bank() const {
        return (subsystem_enable & 1) != 0 && dispi.is_packed();
    }
    [[nodiscard]] std::uint32_t bank_start() const {
        return (std::uint32_t{dispi.registers[Dispi::bank]} << 16) & (memory.size() - 1);
    }

    // ---- Registers of the Bochs display interface ----
    [[nodiscard]] std::uint16_t read_dispi(unsigned number) const {
        return dispi.read(number, memory.size());
    }
    void write_dispi(unsigned number, std::uint16_t value) {
        picture_changed |= dispi.write(number, value, memory);
    }

    void set_big_endian(bool big) {
        picture_changed |= big != is_big_endian;
        is_big_endian = big;
    }

    [[nodiscard]] ScanTiming timing() const;
    // Whether the picture comes from character cells, and whether it is dark.
    [[nodiscard]] bool is_text() const { return !dispi.is_enabled() && !graphics.is_graphics(); }
    [[nodiscard]] bool is_blank() const;

private:
    // Misc output bit 0 puts the CRT controller and status 1 at 0x3Dx rather than 0x3Bx.
    [[nodiscard]] bool is_color() const { return (miscellaneous_output & 0x01) != 0; }
    std::uint8_t read_crtc() const;
    void write_crtc(std::uint8_t value);
    std::uint8_t input_status_1(Duration now);

    struct Place {
        std::uint32_t offset;  // in each plane
        unsigned write_planes, read_plane;
    };
    [[nodiscard]] bool decodes(std::uint32_t address) const;
    [[nodiscard]] Place place(std::uint32_t address) const;
};

}  // namespace backplane::display
