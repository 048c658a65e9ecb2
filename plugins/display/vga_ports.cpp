// The VGA's ports. Those of the CRT controller answer at 0x3Bx or 0x3Dx, never at both.
#include "vga_chip.h"

namespace backplane::display {

namespace {

constexpr std::uint8_t nothing = 0xff;  // what a port reads that nobody decodes

// IBM VGA manual, Vertical Retrace End register.
constexpr std::uint8_t clear_interrupt = 0x10;  // 0 clears
constexpr std::uint8_t disable_interrupt = 0x20;

}  // namespace

void VgaChip::reset() {
    miscellaneous_output = feature_control = 0;
    subsystem_enable = 1;
    retrace_pending = is_big_endian = false;
    sequencer = {};
    crtc = {};
    graphics = {};
    attribute = {};
    const auto colors = dac.entries;
    dac = {};
    dac.entries = colors;
    dispi = {};
    picture_changed = true;
}

std::uint8_t VgaChip::read_port(unsigned port, Duration now) {
    if ((subsystem_enable & 1) == 0 && port != 0x3c3) return nothing;
    switch (port) {
    case 0x3c0: return attribute.address;
    case 0x3c1: return attribute.read();
    // Bit 4 is a monitor's load on the lines that the DAC drives.
    case 0x3c2: return static_cast<std::uint8_t>(0x10 | (retrace_pending ? 0x80 : 0));
    case 0x3c3: return subsystem_enable;
    case 0x3c4: return sequencer.index;
    case 0x3c5: return sequencer.read();
    case 0x3c6: return dac.pel_mask;
    case 0x3c7: return dac.state();
    case 0x3c8: return dac.write_index;
    case 0x3c9: return dac.read();
    case 0x3ca: return feature_control;
    case 0x3cc: return miscellaneous_output;
    case 0x3ce: return graphics.index;
    case 0x3cf: return graphics.read();
    case 0x3b4: return is_color() ? nothing : crtc.index;
    case 0x3b5: return is_color() ? nothing : read_crtc();
    case 0x3ba: return is_color() ? nothing : input_status_1(now);
    case 0x3d4: return is_color() ? crtc.index : nothing;
    case 0x3d5: return is_color() ? read_crtc() : nothing;
    case 0x3da: return is_color() ? input_status_1(now) : nothing;
    default: return nothing;
    }
}

void VgaChip::write_port(unsigned port, std::uint8_t value) {
    if ((subsystem_enable & 1) == 0 && port != 0x3c3) return;
    // The CRT controller's: 0x3B4, 0x3B5 and 0x3BA, or the same at 0x3Dx.
    const bool is_selected = (port >= 0x3d0) == is_color();
    switch (port) {
    case 0x3c0: picture_changed |= attribute.write(value); break;
    case 0x3c2:
        value &= 0xef;
        picture_changed |= miscellaneous_output != value;
        miscellaneous_output = value;
        break;
    case 0x3c3: subsystem_enable = value & 1; break;
    case 0x3c4: sequencer.index = value & 0x07; break;
    case 0x3c5: picture_changed |= sequencer.write(value); break;
    case 0x3c6:
        picture_changed |= dac.pel_mask != value;
        dac.pel_mask = value;
        break;
    case 0x3c7: dac.start_reading(value); break;
    case 0x3c8: dac.start_writing(value); break;
    case 0x3c9: picture_changed |= dac.write(value, dispi.has_8_bit_dac()); break;
    case 0x3ce: graphics.index = value & 0x0f; break;
    case 0x3cf:
        if (graphics.write(value))
            picture_changed |= graphics.index == GraphicsController::graphics_mode ||
                               graphics.index == GraphicsController::miscellaneous;
        break;
    case 0x3b4:
    case 0x3d4:
        if (is_selected) crtc.index = value & 0x3f;
        break;
    case 0x3b5:
    case 0x3d5:
        if (is_selected) write_crtc(value);
        break;
    case 0x3ba:
    case 0x3da:
        if (is_selected) feature_control = value & 0x0b;
        break;
    default: break;
    }
}

// Numbers 0x22 and 0x24 are not in IBM's manual, but its chips have them, and their successors.
std::uint8_t VgaChip::read_crtc() const {
    if (crtc.index == 0x22)
        return static_cast<std::uint8_t>(
            graphics.latches >> (8 * graphics.registers[GraphicsController::read_map_select]));
    if (crtc.index == 0x24)
        return static_cast<std::uint8_t>((attribute.expects_data ? 0x80 : 0) | attribute.address);
    return crtc.read();
}

void VgaChip::write_crtc(std::uint8_t value) {
    const bool changed = crtc.write(value);
    switch (crtc.index) {
    case Crtc::cursor_start:
    case Crtc::cursor_end:
    case Crtc::cursor_location_high:
    case Crtc::cursor_location_low:
        // Whoever looks compares cursors: one that moves does not change the whole picture.
        break;
    case Crtc::vertical_retrace_end:
        if ((value & clear_interrupt) == 0) retrace_pending = false;
        picture_changed |= changed;
        break;
    default: picture_changed |= changed;
    }
}

bool VgaChip::interrupts_on_retrace() const {
    const std::uint8_t end = crtc.registers[Crtc::vertical_retrace_end];
    return (end & clear_interrupt) != 0 && (end & disable_interrupt) == 0;
}

// Reading it also makes the attribute controller expect an address.
std::uint8_t VgaChip::input_status_1(Duration now) {
    attribute.expects_data = false;
    const ScanTiming scan = timing();
    const auto beam = scan.beam(now);
    return static_cast<std::uint8_t>((scan.is_shown(beam) ? 0 : 0x01) |
                                     (scan.is_retrace(beam) ? 0x08 : 0));
}

// The clocks 2 and 3 of the misc output register are those of a feature connector; nothing is
// plugged into it, so they are 25 MHz too.
ScanTiming VgaChip::timing() const {
    if (dispi.is_enabled()) {
        // The interface knows no timing: 60 frames a second, with a border as monitors have it.
        const unsigned width = dispi.registers[Dispi::xres], height = dispi.registers[Dispi::yres];
        const unsigned dots = width + width / 4 + 8, lines = height + height / 20 + 6;
        return {
            {std::uint64_t{60} * dots * lines}, dots, lines, width, height, height + 3, height + 6};
    }
    const unsigned character = sequencer.character_dots();
    const bool is_28_mhz = (miscellaneous_output & 0x0c) == 0x04;
    const Hertz clock{is_28_mhz ? 28'322'000u : 25'175'000u};
    return {{sequencer.halves_dot_clock() ? clock.value / 2 : clock.value},
            crtc.total_columns() * character,
            crtc.total_lines(),
            crtc.columns() * character,
            crtc.lines(),
            crtc.retrace_start(),
            crtc.retrace_start() + crtc.retrace_lines()};
}

bool VgaChip::is_blank() const {
    if (!attribute.shows() || sequencer.is_screen_off()) return true;
    return !dispi.is_enabled() && (!sequencer.is_running() || !crtc.is_running());
}

}  // namespace backplane::display
