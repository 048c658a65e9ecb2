// The memory of the graphics card. Bytes are in the order of the linear framebuffer; the four
// planes of the VGA are interleaved in it: byte `p` of the four at 4 * offset is what plane p holds
// there.
#pragma once

#include <backplane/abi/host.h>

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace backplane::display {

constexpr std::uint32_t video_page = 4096;

class VideoMemory {
public:
    // Of a power of two of bytes. False when the host has none.
    bool allocate(const backplane_host& host, std::uint64_t size);

    [[nodiscard]] std::uint8_t* data() const { return bytes_.data(); }
    [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(bytes_.size()); }

    // The four planes at an offset, plane 0 in the lowest byte.
    [[nodiscard]] std::uint32_t planes(std::uint32_t offset) const {
        const std::uint8_t* four = bytes_.data() + address_of(offset);
        return four[0] | four[1] << 8 | four[2] << 16 | static_cast<std::uint32_t>(four[3]) << 24;
    }

    void set_planes(std::uint32_t offset, std::uint32_t planes) {
        const std::uint32_t address = address_of(offset);
        for (unsigned plane = 0; plane < 4; ++plane)
            bytes_[address + plane] = static_cast<std::uint8_t>(planes >> (8 * plane));
        written_[address / video_page] = 1;
    }

    void clear(std::uint32_t length);
    // Of the bytes at address..address + length, which lie inside.
    void note_written(std::uint32_t address, std::uint32_t length);

    // Whether each page was written, by the card or by the guest, since this was asked before. The
    // first time starts the host's tracking of direct writes, and every page counts.
    std::span<const std::uint8_t> take_written();

private:
    [[nodiscard]] std::uint32_t address_of(std::uint32_t offset) const {
        return (offset << 2) & (size() - 1);
    }

    const backplane_host* host_ = nullptr;
    std::span<std::uint8_t> bytes_;
    std::vector<std::uint8_t> written_;  // by the card, one for each page
    std::vector<std::uint8_t> taken_;
    std::vector<std::uint64_t> bitmap_;
    bool is_tracked_ = false;
};

}  // namespace backplane::display
