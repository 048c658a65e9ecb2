// What all cards with the VGA chip have, whatever bus they are on: windows, the display, the
// retrace interrupt, saved state.
#pragma once

#include "edid.h"
#include "frame_changes.h"
#include "vga_chip.h"

#include <backplane/sdk.h>

namespace backplane::display {

class VgaDevice : public Device {
public:
    Outcome start();
    void reset(ResetKind kind);
    void restored();

    // ---- What backplane.display/1 asks ----
    void describe_mode(backplane_display_mode& mode) const;
    std::uint64_t tell_changes(std::uint64_t since, std::uint64_t* rows, std::uint32_t count);
    void read_pixels(std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height,
                     std::uint32_t* pixels, std::uint64_t stride) const;
    bool read_text(backplane_display_text& text, backplane_display_cell* cells,
                   std::uint32_t capacity) const;
    void prefer_size(std::uint32_t width, std::uint32_t height);

protected:
    template <class T> static void declare_vga(Declaration<T>& d);

    std::uint64_t read_mono_ports(std::uint64_t offset, unsigned size);
    void write_mono_ports(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_ports(std::uint64_t offset, unsigned size);
    void write_ports(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_dispi(std::uint64_t offset, unsigned size);
    void write_dispi(std::uint64_t offset, unsigned size, std::uint64_t value);
    std::uint64_t read_window(std::uint64_t offset, unsigned size);
    void write_window(std::uint64_t offset, unsigned size, std::uint64_t value);

    MemoryRegion framebuffer();
    VgaChip& chip() { return chip_; }
    const Edid& monitor() const { return edid_; }

    Line irq_;  // connected on buses that have one for it

private:
    void write_port(unsigned port, std::uint8_t value);
    void retrace_began();
    void update_retrace_interrupt();

    Bytes memory_size_ = literals::operator""_MiB(16);
    std::uint32_t preferred_width_ = 1280, preferred_height_ = 800;

    VgaChip chip_;
    FrameChanges changes_;
    std::uint32_t monitor_width_ = 0, monitor_height_ = 0;
    Edid edid_{};
    Timer retrace_timer_;
    std::string problem_;
    std::uint64_t window_reads_ = 0, window_writes_ = 0;

    static constexpr std::uint32_t window_size = 0x20000;
};

// The functions of backplane.display/1 for a device derived from VgaDevice.
template <class T>
inline constexpr backplane_display display_functions{
    sizeof(backplane_display),
    0,
    [](void* object, backplane_display_mode* mode) noexcept {
        static_cast<T*>(object)->describe_mode(*mode);
    },
    [](void* object, std::uint64_t since, std::uint64_t* rows, std::uint32_t count) noexcept {
        return static_cast<T*>(object)->tell_changes(since, rows, count);
    },
    [](void* object, std::uint32_t x, std::uint32_t y, std::uint32_t width, std::uint32_t height,
       std::uint32_t* pixels, std::uint64_t stride) noexcept {
        static_cast<T*>(object)->read_pixels(x, y, width, height, pixels, stride);
    },
    [](void* object, backplane_display_text* text, backplane_display_cell* cells,
       std::uint32_t capacity) noexcept -> std::int32_t {
        return static_cast<T*>(object)->read_text(*text, cells, capacity) ? 1 : 0;
    },
    [](void* object, std::uint32_t width, std::uint32_t height) noexcept {
        static_cast<T*>(object)->prefer_size(width, height);
    }};

template <class T>
void VgaDevice::declare_vga(Declaration<T>& d) {
    // Properties are members of T, which those of its base become by a cast.
    d.property("memory", static_cast<Bytes T::*>(&VgaDevice::memory_size_),
               "Video memory, a power of two")
        .range(literals::operator""_MiB(1), literals::operator""_MiB(256));
    d.property("preferred-width", static_cast<std::uint32_t T::*>(&VgaDevice::preferred_width_),
               "Width of the frame that the monitor likes best, as its EDID tells the guest")
        .range(smallest_edid_width, largest_edid_width);
    d.property("preferred-height", static_cast<std::uint32_t T::*>(&VgaDevice::preferred_height_),
               "Height of the same")
        .range(smallest_edid_height, largest_edid_height);

    d.template port_window<&T::read_mono_ports, &T::write_mono_ports>(
         "mono-ports", 12, "Ports of monochrome modes, at 0x3B0", 1)
        .reg(0x4, "CRTC-INDEX", "CRT controller index while misc output bit 0 is clear")
        .reg(0x5, "CRTC-DATA", "CRT controller data while misc output bit 0 is clear")
        .reg(0xa, "STATUS1/FEATURE", "Input status 1; writes feature control");
    d.template port_window<&T::read_ports, &T::write_ports>("ports", 32,
                                                            "The VGA's ports, at 0x3C0", 1)
        .reg(0x00, "ATTRIBUTE-INDEX", "Attribute controller address and, in turn, data")
        .reg(0x01, "ATTRIBUTE-DATA", "Attribute controller data, for reading")
        .reg(0x02, "STATUS0/MISC", "Input status 0; writes misc output")
        .reg(0x03, "ENABLE", "Video subsystem enable")
        .reg(0x04, "SEQUENCER-INDEX", "Sequencer index")
        .reg(0x05, "SEQUENCER-DATA", "Sequencer data")
        .reg(0x06, "PEL-MASK", "Mask of pixels before they go to the DAC")
        .reg(0x07, "DAC-STATE/READ-INDEX", "Whether the DAC reads or writes; the entry to read")
        .reg(0x08, "DAC-WRITE-INDEX", "The entry to write")
        .reg(0x09, "DAC-DATA", "Red, green and blue in turn")
        .reg(0x0a, "FEATURE", "Feature control, for reading")
        .reg(0x0c, "MISC", "Misc output, for reading")
        .reg(0x0e, "GRAPHICS-INDEX", "Graphics controller index")
        .reg(0x0f, "GRAPHICS-DATA", "Graphics controller data")
        .reg(0x14, "CRTC-INDEX", "CRT controller index while misc output bit 0 is set")
        .reg(0x15, "CRTC-DATA", "CRT controller data while misc output bit 0 is set")
        .reg(0x1a, "STATUS1/FEATURE", "Input status 1; writes feature control");
    d.template port_window<&T::read_dispi, &T::write_dispi>(
         "dispi-ports", 4, "The Bochs display interface, at 0x1CE", 3)
        .reg(0, "DISPI-INDEX", "Number of a register", 2)
        .reg(1, "DISPI-DATA", "The register", 2)
        .reg(2, "DISPI-DATA-ALIGNED", "The same, at an even port", 2);
    d.template memory_window<&T::read_window, &T::write_window>(
        "window", window_size, "The legacy window, at 0xA0000: planes, text, or a bank");
    d.provides("display", display_functions<T>, "The picture, for presenters");
    d.template timer<&T::retrace_began>("retrace", &T::retrace_timer_);
    d.counter("window.reads", &T::window_reads_, "bytes", "Read through the legacy window");
    d.counter("window.writes", &T::window_writes_, "bytes", "Written through the legacy window");

    d.saved("misc-output", [](T& t) -> auto& { return t.chip_.miscellaneous_output; });
    d.saved("feature-control", [](T& t) -> auto& { return t.chip_.feature_control; });
    d.saved("subsystem-enable", [](T& t) -> auto& { return t.chip_.subsystem_enable; });
    d.saved("retrace-pending", [](T& t) -> auto& { return t.chip_.retrace_pending; });
    d.saved("big-endian", [](T& t) -> auto& { return t.chip_.is_big_endian; });
    d.saved("sequencer.index", [](T& t) -> auto& { return t.chip_.sequencer.index; });
    d.saved("sequencer", [](T& t) -> auto& { return t.chip_.sequencer.registers; });
    d.saved("crtc.index", [](T& t) -> auto& { return t.chip_.crtc.index; });
    d.saved("crtc", [](T& t) -> auto& { return t.chip_.crtc.registers; });
    d.saved("graphics.index", [](T& t) -> auto& { return t.chip_.graphics.index; });
    d.saved("graphics", [](T& t) -> auto& { return t.chip_.graphics.registers; });
    d.saved("graphics.latches", [](T& t) -> auto& { return t.chip_.graphics.latches; });
    d.saved("attribute.address", [](T& t) -> auto& { return t.chip_.attribute.address; });
    d.saved("attribute.expects-data", [](T& t) -> auto& { return t.chip_.attribute.expects_data; });
    d.saved("attribute", [](T& t) -> auto& { return t.chip_.attribute.registers; });
    d.saved("dac.pel-mask", [](T& t) -> auto& { return t.chip_.dac.pel_mask; });
    d.saved("dac.read-index", [](T& t) -> auto& { return t.chip_.dac.read_index; });
    d.saved("dac.write-index", [](T& t) -> auto& { return t.chip_.dac.write_index; });
    d.saved("dac.component", [](T& t) -> auto& { return t.chip_.dac.component; });
    d.saved("dac.is-reading", [](T& t) -> auto& { return t.chip_.dac.is_reading; });
    d.saved("dac.incoming", [](T& t) -> auto& { return t.chip_.dac.incoming; });
    d.saved("dac", [](T& t) -> auto& { return t.chip_.dac.entries; });
    d.saved("dispi.index", [](T& t) -> auto& { return t.chip_.dispi.index; });
    d.saved("dispi", [](T& t) -> auto& { return t.chip_.dispi.registers; });
    d.saved("monitor.width", [](T& t) -> auto& { return t.monitor_width_; });
    d.saved("monitor.height", [](T& t) -> auto& { return t.monitor_height_; });
}

}  // namespace backplane::display
