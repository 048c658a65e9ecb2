// The configuration space of a PCI function as bytes with rules: which bits a guest may write, and
// which it clears by writing ones (PCI Local Bus Specification 3.0, chapter 6).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane {

// Offsets of the type 0 header, and bits in it.
namespace pci {
inline constexpr unsigned vendor_id = 0x00, device_id = 0x02, command = 0x04, status = 0x06,
                          revision_id = 0x08, class_code = 0x09, cache_line_size = 0x0c,
                          latency_timer = 0x0d, header_type = 0x0e, base_address = 0x10,
                          subsystem_vendor_id = 0x2c, subsystem_id = 0x2e, rom_address = 0x30,
                          capabilities = 0x34, interrupt_line = 0x3c, interrupt_pin = 0x3d;

inline constexpr unsigned command_io = 0x0001, command_memory = 0x0002, command_master = 0x0004,
                          command_parity = 0x0040, command_serr = 0x0100,
                          command_no_interrupt = 0x0400;
inline constexpr unsigned status_interrupt = 0x0008, status_capabilities = 0x0010;
}  // namespace pci

class PciConfig {
public:
    static constexpr std::size_t size = 4096;

    // Little endian. `bytes` is 1, 2 or 4.
    std::uint32_t get(std::size_t offset, unsigned bytes) const {
        std::uint32_t value = 0;
        for (unsigned i = 0; i < bytes && offset + i < size; ++i)
            value |= std::uint32_t{bytes_[offset + i]} << (8 * i);
        return value;
    }

    // As the device itself does: no rule holds.
    void set(std::size_t offset, unsigned bytes, std::uint32_t value) {
        for (unsigned i = 0; i < bytes && offset + i < size; ++i)
            bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
    }

    // Bits that a guest may write, and bits that it clears by writing ones.
    void allow(std::size_t offset, unsigned bytes, std::uint32_t writable,
               std::uint32_t cleared_by_ones = 0) {
        for (unsigned i = 0; i < bytes && offset + i < size; ++i) {
            writable_[offset + i] = static_cast<std::uint8_t>(writable >> (8 * i));
            cleared_[offset + i] = static_cast<std::uint8_t>(cleared_by_ones >> (8 * i));
        }
    }

    // As a guest does.
    void write(std::size_t offset, unsigned bytes, std::uint32_t value) {
        for (unsigned i = 0; i < bytes && offset + i < size; ++i) {
            const auto part = static_cast<std::uint8_t>(value >> (8 * i));
            const std::uint8_t mask = writable_[offset + i];
            std::uint8_t& byte = bytes_[offset + i];
            byte = static_cast<std::uint8_t>((byte & ~mask) | (part & mask));
            byte = static_cast<std::uint8_t>(byte & ~(part & cleared_[offset + i]));
        }
    }

    // The lowest of a capability's bytes, linked in front of the others (6.7).
    std::uint8_t add_capability(std::uint8_t id, unsigned bytes) {
        const auto offset = next_;
        next_ = static_cast<std::uint8_t>(next_ + ((bytes + 3) & ~3u));
        set(offset, 1, id);
        set(offset + 1u, 1, get(pci::capabilities, 1));
        set(pci::capabilities, 1, offset);
        set(pci::status, 2, get(pci::status, 2) | pci::status_capabilities);
        return offset;
    }

    // Capabilities are laid out from here on; 0x40 unless the device has registers there.
    void begin_capabilities_at(std::uint8_t offset) { next_ = offset; }

    std::array<std::uint8_t, size>& saved_bytes() { return bytes_; }

private:
    std::array<std::uint8_t, size> bytes_{}, writable_{}, cleared_{};
    std::uint8_t next_ = 0x40;
};

}  // namespace backplane
