// The debug registers as what they ask for: breakpoints on instructions, data and I/O ports (SDM
// 3B 17.2).
#pragma once

#include "x86/cpu_state.h"

#include <array>
#include <cstdint>

namespace backplane::x86 {

namespace dr6 {
constexpr std::uint32_t hits = 0xf, bd = 1u << 13, bs = 1u << 14, bt = 1u << 15;
}

// Made anew whenever a debug register changes. Each question is answered with the bits of DR6 that
// say which breakpoints were hit.
class Breakpoints {
public:
    Breakpoints() = default;

    static bool are_enabled(const CpuState& state) { return (state.dr[7] & 0xff) != 0; }

    explicit Breakpoints(const CpuState& state) {
        constexpr std::uint64_t debugging_extensions = 1u << 3;  // CR4.DE
        if (!are_enabled(state)) return;
        const std::uint64_t dr7 = state.dr[7];
        for (unsigned i = 0; i < 4; ++i) {
            if (!(dr7 >> (2 * i) & 3)) continue;  // neither local nor global
            const unsigned kind = dr7 >> (16 + 4 * i) & 3, length = dr7 >> (18 + 4 * i) & 3;
            const std::uint8_t bit = static_cast<std::uint8_t>(1u << i);
            // 10b is eight bytes (SDM 3B 17.2.4); the address counts as far as it is aligned.
            constexpr std::array<std::uint8_t, 4> sizes{1, 2, 8, 4};
            last_[i] = sizes[length] - 1u;
            start_[i] = state.dr[i] & ~last_[i];
            switch (kind) {
            case 0: code_ |= bit; break;
            case 1: written_ |= bit; break;
            case 2: ports_ |= (state.cr4 & debugging_extensions) ? bit : 0; break;
            default: written_ |= bit; read_ |= bit;
            }
        }
    }

    bool has_code() const { return code_ != 0; }
    bool has_data() const { return (written_ | read_) != 0; }
    bool any() const { return (code_ | written_ | read_ | ports_) != 0; }

    std::uint32_t on_instruction(std::uint64_t linear) const {
        return hits(code_, [&](unsigned i) { return start_[i] == (linear & ~last_[i]); });
    }

    std::uint32_t on_access(std::uint64_t linear, unsigned size, bool writes) const {
        return overlapping(writes ? written_ : read_, linear, size);
    }

    std::uint32_t on_port(std::uint16_t port, unsigned size) const {
        return overlapping(ports_, port, size);
    }

    // Whether the page of this address has such a breakpoint: then engines look closer.
    bool on_code_page(std::uint64_t linear) const { return on_page(code_, linear); }
    bool on_data_page(std::uint64_t linear) const {
        return on_page(static_cast<std::uint8_t>(written_ | read_), linear);
    }

    friend bool operator==(const Breakpoints&, const Breakpoints&) = default;

private:
    template <class F>
    static std::uint32_t hits(std::uint8_t among, F is_hit) {
        std::uint32_t found = 0;
        for (unsigned i = 0; i < 4; ++i)
            if ((among >> i & 1) && is_hit(i)) found |= 1u << i;
        return found;
    }

    std::uint32_t overlapping(std::uint8_t among, std::uint64_t first, unsigned size) const {
        return hits(among, [&](unsigned i) {
            return first <= start_[i] + last_[i] && first + size - 1 >= start_[i];
        });
    }

    bool on_page(std::uint8_t among, std::uint64_t linear) const {
        return among != 0 &&
               hits(among, [&](unsigned i) { return (start_[i] ^ linear) >> 12 == 0; }) != 0;
    }

    std::array<std::uint64_t, 4> start_{}, last_{};  // the last byte, counted from the start
    std::uint8_t code_ = 0, written_ = 0, read_ = 0, ports_ = 0;
};

}  // namespace backplane::x86
