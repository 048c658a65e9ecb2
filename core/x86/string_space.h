// How string instructions (and XLAT) address memory: by index registers of the address size, the
// source through an overridable segment, the destination through ES.
#pragma once

#include "x86/cpu_state.h"
#include "x86/segmented_address.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::x86 {

// 64-bit code with 64-bit addresses and no segment base.
struct FlatStrings {
    template <class M>
    static std::uint64_t index(M& m, Gpr name) {
        return m.state().gpr[name];
    }

    template <class M>
    static std::uint64_t truncated(M&, std::uint64_t offset) {
        return offset;
    }

    template <class M>
    static void set_index(M& m, Gpr name, std::uint64_t value) {
        m.state().gpr[name] = value;
    }

    template <class M>
    static SegmentIndex source_segment(M&) {
        return DS;
    }

    template <class M>
    static std::optional<std::uint64_t> linear(M&, SegmentIndex, std::uint64_t offset, unsigned,
                                               SegmentAccess) {
        return offset;
    }

    template <class M>
    static std::span<std::byte> span(M& m, SegmentIndex, std::uint64_t offset,
                                     SegmentAccess access) {
        return m.direct_span(offset, access);
    }
};

// Everything else, resolved as it runs: FS and GS, address-size overrides, 16- and 32-bit code.
// Op::extra says which.
struct SegmentedStrings {
    static constexpr std::uint32_t pack(unsigned segment, unsigned address_width, bool code64) {
        return segment | (code64 ? 0x100u : 0u) | address_width << 16;
    }

    template <class M>
    static std::uint64_t mask(M& m) {
        return ~std::uint64_t{0} >> (64 - (m.op().extra >> 16));
    }

    template <class M>
    static std::uint64_t index(M& m, Gpr name) {
        return m.state().gpr[name] & mask(m);
    }

    template <class M>
    static std::uint64_t truncated(M& m, std::uint64_t offset) {
        return offset & mask(m);
    }

    // Like any write to a 16- or 32-bit register.
    template <class M>
    static void set_index(M& m, Gpr name, std::uint64_t value) {
        std::uint64_t& place = m.state().gpr[name];
        const std::uint64_t kept = mask(m) == 0xffff ? ~std::uint64_t{0xffff} : 0;
        place = (place & kept) | (value & mask(m));
    }

    template <class M>
    static SegmentIndex source_segment(M& m) {
        return static_cast<SegmentIndex>(m.op().extra & 7);
    }

    template <class M>
    static std::optional<std::uint64_t> linear(M& m, SegmentIndex segment, std::uint64_t offset,
                                               unsigned size, SegmentAccess access) {
        if (!(m.op().extra & 0x100)) return segmented_address(m, segment, offset, size, access);
        return segment >= FS ? m.state().segments[segment].base + offset : offset;
    }

    // As far as neither the offset wraps nor the segment ends; faults are left to the single
    // accesses.
    template <class M>
    static std::span<std::byte> span(M& m, SegmentIndex segment, std::uint64_t offset,
                                     SegmentAccess access) {
        const CpuState& state = m.state();
        const std::uint64_t base = (m.op().extra & 0x100) && segment < FS
                                       ? 0
                                       : state.segments[segment].base;
        const std::uint64_t linear = base + offset;
        const bool code64 = m.op().extra & 0x100;
        auto bytes = m.direct_span(code64 ? linear : static_cast<std::uint32_t>(linear), access);
        const std::uint64_t to_wrap = mask(m) - offset + 1;
        if (to_wrap != 0 && to_wrap < bytes.size()) bytes = bytes.first(to_wrap);
        if (bytes.empty() || code64) return bytes;
        const bool fits = segment_allows(state, segment, static_cast<std::uint32_t>(offset),
                                         static_cast<unsigned>(bytes.size()), access);
        return fits ? bytes : std::span<std::byte>{};
    }
};

}  // namespace backplane::x86
