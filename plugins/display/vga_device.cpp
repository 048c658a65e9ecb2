#include "vga_device.h"

#include "text_screen.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace backplane::display {

namespace {

constexpr unsigned mono_base = 0x3b0, base = 0x3c0;

// Copies as much of a struct as both sides know.
template <class Struct>
void hand_out(Struct& to, Struct from) {
    from.struct_size = to.struct_size;
    std::memcpy(&to, &from, std::min<std::size_t>(to.struct_size, sizeof from));
}

}  // namespace

Outcome VgaDevice::start() {
    framebuffer();
    if (!problem_.empty()) return std::unexpected{problem_};
    return {};
}

void VgaDevice::reset(ResetKind kind) {
    chip_.reset();
    if (kind == ResetKind::PowerOn) {
        chip_.dac = {};
        prefer_size(preferred_width_, preferred_height_);
    }
    update_retrace_interrupt();
}

void VgaDevice::restored() {
    chip_.picture_changed = true;
    edid_ = edid(monitor_width_, monitor_height_);
}

// The window's size is asked before start, which says what is wrong with it.
MemoryRegion VgaDevice::framebuffer() {
    const std::uint64_t size = memory_size_.value;
    if (!std::has_single_bit(size))
        problem_ = "memory must be a power of two";
    else if (chip_.memory.size() == 0 && !chip_.memory.allocate(host(), size))
        problem_ = "the host has no room for " + std::to_string(size >> 20) + " MiB of memory";
    return {reinterpret_cast<std::byte*>(chip_.memory.data()), chip_.memory.size(), true};
}

// ---- Windows ----

std::uint64_t VgaDevice::read_mono_ports(std::uint64_t offset, unsigned) {
    return chip_.read_port(mono_base + static_cast<unsigned>(offset), now());
}

void VgaDevice::write_mono_ports(std::uint64_t offset, unsigned, std::uint64_t value) {
    write_port(mono_base + static_cast<unsigned>(offset), static_cast<std::uint8_t>(value));
}

std::uint64_t VgaDevice::read_ports(std::uint64_t offset, unsigned) {
    return chip_.read_port(base + static_cast<unsigned>(offset), now());
}

void VgaDevice::write_ports(std::uint64_t offset, unsigned, std::uint64_t value) {
    write_port(base + static_cast<unsigned>(offset), static_cast<std::uint8_t>(value));
}

void VgaDevice::write_port(unsigned port, std::uint8_t value) {
    chip_.write_port(port, value);
    if (irq_.level() || retrace_timer_.is_running() || chip_.interrupts_on_retrace())
        update_retrace_interrupt();
}

// Registers have 16 bits; a byte is their lower half.
std::uint64_t VgaDevice::read_dispi(std::uint64_t offset, unsigned) {
    return offset == 0 ? chip_.dispi.index : chip_.read_dispi(chip_.dispi.index);
}

void VgaDevice::write_dispi(std::uint64_t offset, unsigned, std::uint64_t value) {
    if (offset == 0)
        chip_.dispi.index = static_cast<std::uint16_t>(value);
    else
        chip_.write_dispi(chip_.dispi.index, static_cast<std::uint16_t>(value));
}

std::uint64_t VgaDevice::read_window(std::uint64_t offset, unsigned size) {
    window_reads_ += size;
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i)
        value |= std::uint64_t{chip_.read_window(static_cast<std::uint32_t>(offset + i))}
                 << (8 * i);
    return value;
}

void VgaDevice::write_window(std::uint64_t offset, unsigned size, std::uint64_t value) {
    window_writes_ += size;
    for (unsigned i = 0; i < size; ++i)
        chip_.write_window(static_cast<std::uint32_t>(offset + i),
                           static_cast<std::uint8_t>(value >> (8 * i)));
}

// ---- The vertical interrupt ----

void VgaDevice::retrace_began() {
    if (chip_.interrupts_on_retrace()) chip_.retrace_pending = true;
    update_retrace_interrupt();
}

// The timer runs only for guests that want to be interrupted.
void VgaDevice::update_retrace_interrupt() {
    const bool wanted = chip_.interrupts_on_retrace();
    irq_.drive(wanted && chip_.retrace_pending);
    if (!wanted)
        retrace_timer_.stop();
    else if (!retrace_timer_.is_running())
        retrace_timer_.start_at(chip_.timing().next_retrace(now()));
}

// ---- The display ----

void VgaDevice::describe_mode(backplane_display_mode& mode) const {
    const FrameShape shape = frame_shape(chip_);
    hand_out(mode, {.struct_size = 0,
                    .kind = shape.kind,
                    .width = shape.width,
                    .height = shape.height,
                    .columns = shape.columns,
                    .rows = shape.rows,
                    .cell_width = shape.cell_width,
                    .cell_height = shape.cell_height,
                    .bits_per_pixel = shape.bits_per_pixel,
                    .refresh_mhz = chip_.timing().refresh_mhz()});
}

std::uint64_t VgaDevice::tell_changes(std::uint64_t since, std::uint64_t* rows,
                                      std::uint32_t count) {
    return changes_.tell(chip_, now(), since, rows, count);
}

void VgaDevice::read_pixels(std::uint32_t x, std::uint32_t y, std::uint32_t width,
                            std::uint32_t height, std::uint32_t* pixels,
                            std::uint64_t stride) const {
    Raster raster{chip_, now()};
    const FrameShape& shape = raster.shape();
    const std::uint32_t inside = x < shape.width ? std::min(width, shape.width - x) : 0;
    for (std::uint32_t row = 0; row < height; ++row, pixels += stride) {
        const bool is_inside = inside != 0 && y < shape.height && row < shape.height - y;
        if (is_inside) raster.read_row(y + row, x, inside, pixels);
        const std::uint32_t done = is_inside ? inside : 0;
        std::fill_n(pixels + done, width - done, 0);
    }
}

bool VgaDevice::read_text(backplane_display_text& text, backplane_display_cell* cells,
                          std::uint32_t capacity) const {
    const Raster raster{chip_, now()};
    if (raster.shape().kind != BACKPLANE_DISPLAY_TEXT) return false;
    hand_out(text, text_screen(chip_, raster));
    read_cells(chip_, raster, cells, capacity);
    return true;
}

void VgaDevice::prefer_size(std::uint32_t width, std::uint32_t height) {
    monitor_width_ = width;
    monitor_height_ = height;
    edid_ = edid(width, height);
}

}  // namespace backplane::display
