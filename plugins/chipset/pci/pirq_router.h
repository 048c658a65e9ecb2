// The part of an ISA bridge that turns shared PCI interrupts into the numbered ones of the two
// 8259s: one register each, with the number and a bit that disables it. (PIIX3 datasheet
// 290550, 2.2.8; ICH9 datasheet 316972, 13.1.18)
#pragma once

#include <backplane/sdk.h>

#include <array>
#include <bitset>
#include <cstdint>

namespace backplane::chipset {

template <unsigned count> class PirqRouter {
public:
    static constexpr unsigned interrupts = 16;
    static constexpr std::uint8_t disabled = 0x80;

    // What drives one of PIRQA# and so on: `source` tells apart those that share it.
    void set(unsigned pirq, unsigned source, bool level) {
        auto& sources = levels_[pirq];
        const std::uint64_t bit = std::uint64_t{1} << (source % 64);
        auto& half = sources[source / 64];
        half = level ? half | bit : half & ~bit;
    }

    bool level(unsigned pirq) const { return (levels_[pirq][0] | levels_[pirq][1]) != 0; }

    // The levels of the numbered interrupts when the registers hold these values. Numbers that a
    // chip reserves are routed nowhere.
    std::bitset<interrupts> route(const std::array<std::uint8_t, count>& registers) const {
        constexpr unsigned reserved = 1 << 0 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 13;
        std::bitset<interrupts> wanted;
        for (unsigned pirq = 0; pirq < count; ++pirq) {
            const unsigned number = registers[pirq] & 0x0f;
            if ((registers[pirq] & disabled) == 0 && ((reserved >> number) & 1) == 0)
                wanted[number] = wanted[number] || level(pirq);
        }
        return wanted;
    }

    void reset() { levels_ = {}; }

    // A bit for each of 32 devices' four pins.
    std::array<std::array<std::uint64_t, 2>, count>& saved_levels() { return levels_; }

private:
    std::array<std::array<std::uint64_t, 2>, count> levels_{};
};

}  // namespace backplane::chipset
