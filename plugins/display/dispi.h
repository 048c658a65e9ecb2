// The Bochs display interface, ports 0x1CE and 0x1CF: frames of any size and depth in the linear
// framebuffer, which the VGA BIOS offers as VBE modes. Registers and their limits are those of
// QEMU's standard VGA (docs/specs/standard-vga.txt there) and of Bochs' VBE display interface.
#pragma once

#include <array>
#include <cstdint>

namespace backplane::display {

class VideoMemory;

struct Dispi {
    enum Register : std::uint16_t {
        id,
        xres,
        yres,
        bpp,
        enable,
        bank,
        virt_width,
        virt_height,
        x_offset,
        y_offset,
        video_memory_64k,
        register_count
    };
    enum Enable : std::uint16_t {
        enabled = 0x01,
        getcaps = 0x02,
        dac_8_bit = 0x20,
        lfb_enabled = 0x40,
        no_clear_memory = 0x80
    };
    static constexpr std::uint16_t largest_width = 16000, largest_height = 12000;
    static constexpr std::uint16_t newest_id = 0xb0c5;

    std::uint16_t index = 0;
    std::array<std::uint16_t, register_count> registers{newest_id};

    [[nodiscard]] std::uint16_t read(unsigned number, std::uint32_t memory_size) const;
    // Whether anything shown may have changed.
    bool write(unsigned number, std::uint16_t value, VideoMemory& memory);

    [[nodiscard]] bool is_enabled() const { return (registers[enable] & enabled) != 0; }
    [[nodiscard]] bool has_8_bit_dac() const { return (registers[enable] & dac_8_bit) != 0; }
    // Frames of one number for each pixel, rather than planes of the VGA.
    [[nodiscard]] bool is_packed() const { return is_enabled() && registers[bpp] != 4; }
    [[nodiscard]] bool is_planar() const { return is_enabled() && registers[bpp] == 4; }

    // ---- While enabled ----
    [[nodiscard]] unsigned memory_bits() const {  // of a pixel
        return registers[bpp] == 15 ? 16 : registers[bpp];
    }
    // Bytes from a row to the next, and from the start of memory to the first pixel.
    [[nodiscard]] std::uint32_t pitch() const { return registers[virt_width] * memory_bits() / 8; }
    [[nodiscard]] std::uint32_t start() const {
        return registers[x_offset] * memory_bits() / 8 + registers[y_offset] * pitch();
    }

private:
    void settle(std::uint32_t memory_size);
};

}  // namespace backplane::display
