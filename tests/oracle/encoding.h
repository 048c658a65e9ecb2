// Instruction bytes put together from their parts.
#pragma once

#include "form_list.h"

#include <array>
#include <cstdint>
#include <span>

namespace backplane::oracle {

class ByteString {
public:
    void add(unsigned byte) {
        if (size_ < bytes_.size()) bytes_[size_++] = static_cast<std::uint8_t>(byte);
    }
    std::size_t size() const { return size_; }
    std::span<const std::uint8_t> span() const { return {bytes_.data(), size_}; }
    std::uint8_t& operator[](std::size_t index) { return bytes_[index]; }

private:
    std::array<std::uint8_t, 32> bytes_{};
    std::size_t size_ = 0;
};

// What a skeleton leaves open.
struct OpenParts {
    std::uint8_t rex = 0;                          // R, X and B in bits 2 to 0, as REX has them
    std::uint8_t vvvv = 0;                         // the register, not its complement
    bool force_rex = false;                        // a REX prefix also where no bit of it is set
    bool two_byte_vex = false;                     // where the rest allows it
    std::array<std::uint8_t, 3> extra_prefixes{};  // zeros are none
    std::uint8_t sib = 0;
    std::array<std::uint8_t, 12> tail{};  // displacement and immediate
};

inline ByteString encode(const Skeleton& skeleton, const OpenParts& open, bool is_64bit) {
    ByteString bytes;
    for (const std::uint8_t prefix : open.extra_prefixes)
        if (prefix) bytes.add(prefix);
    if (skeleton.lock) bytes.add(0xf0);
    const unsigned map = static_cast<unsigned>(skeleton.map);
    const unsigned rex = is_64bit ? open.rex : 0;
    if (skeleton.is_vex) {
        const unsigned pp = skeleton.prefix == 0x66   ? 1
                            : skeleton.prefix == 0xf3 ? 2
                            : skeleton.prefix == 0xf2 ? 3
                                                      : 0;
        // Outside 64-bit code the top bits tell VEX from LES and LDS, and vvvv has three bits.
        const unsigned vvvv = is_64bit ? open.vvvv : open.vvvv & 7;
        const unsigned low = (~vvvv & 15) << 3 | (skeleton.vex_256 ? 4u : 0u) | pp;
        const bool short_form = open.two_byte_vex && map == 1 && !skeleton.wide && (rex & 3) == 0;
        if (short_form) {
            bytes.add(0xc5);
            bytes.add((rex & 4 ? 0u : 0x80u) | low);
        } else {
            bytes.add(0xc4);
            bytes.add((~rex & 7) << 5 | map);
            bytes.add((skeleton.wide ? 0x80u : 0u) | low);
        }
    } else {
        if (skeleton.prefix) bytes.add(skeleton.prefix);
        const unsigned all = rex | (skeleton.wide ? 8u : 0u);
        if (is_64bit && (all || open.force_rex)) bytes.add(0x40 | all);
        if (map >= 1) bytes.add(0x0f);
        if (map == 2) bytes.add(0x38);
        if (map == 3) bytes.add(0x3a);
    }
    bytes.add(skeleton.opcode);
    if (skeleton.has_modrm) bytes.add(skeleton.modrm);
    if (skeleton.has_memory() && (skeleton.modrm & 7) == 4) bytes.add(open.sib);
    for (const std::uint8_t byte : open.tail)
        bytes.add(byte);
    return bytes;
}

}  // namespace backplane::oracle
