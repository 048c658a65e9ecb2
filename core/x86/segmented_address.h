// Segment checks of a memory access outside 64-bit code, and the linear address they lead to.
#pragma once

#include "x86/descriptor.h"
#include "x86/fault.h"

#include <cstdint>
#include <optional>

namespace backplane::x86 {

enum class SegmentAccess : std::uint8_t { Read, Write };

// SDM 3A 5.3 and 5.5: present (a null selector leaves the segment unusable), type, limit;
// expand-down segments are valid above the limit. In real and virtual-8086 mode only the limit
// counts. No offset wraps: beyond 32 bits none is allowed.
inline bool segment_allows(const CpuState& state, SegmentIndex index, std::uint64_t offset,
                           unsigned size, SegmentAccess access) {
    const SegmentRegister& segment = state.segments[index];
    const auto is = [&](std::uint16_t bits) { return (segment.attributes & bits) != 0; };
    const bool code = is(attribute::code);
    const bool has_types = state.protected_mode() && !(state.rflags & rflags::vm);
    if (has_types) {
        if (!is(attribute::present)) return false;
        if (access == SegmentAccess::Write && (code || !is(attribute::writable))) return false;
        if (access == SegmentAccess::Read && code && !is(attribute::readable)) return false;
    }
    const std::uint64_t last = offset + (size ? size - 1 : 0);
    if (has_types && !code && is(attribute::expand_down)) {
        const std::uint64_t top = is(attribute::big) ? 0xffffffff : 0xffff;
        return offset > segment.limit && last <= top;
    }
    return last <= segment.limit;
}

// Whether the segment allows every access that ends within 32 bits of offset, reading and writing,
// in protected mode.
constexpr bool is_unlimited(const SegmentRegister& segment) {
    constexpr std::uint16_t kind = attribute::present | attribute::code_or_data | attribute::code |
                                   attribute::expand_down | attribute::writable;
    return (segment.attributes & kind) ==
               (attribute::present | attribute::code_or_data | attribute::writable) &&
           segment.limit == 0xffffffff;
}

// Whether 32-bit code addresses memory by offsets alone: all segments but FS and GS begin at zero
// and are unlimited, CS likewise for reading, and the stack pointer has 32 bits.
inline bool has_flat_segments(const CpuState& state) {
    const auto& segments = state.segments;
    const SegmentRegister& cs = segments[CS];
    constexpr std::uint16_t code = attribute::present | attribute::code_or_data | attribute::code |
                                   attribute::readable;
    const bool bases = (segments[CS].base | segments[DS].base | segments[ES].base |
                        segments[SS].base) == 0;
    return bases && state.protected_mode() && !(state.rflags & rflags::vm) &&
           (cs.attributes & code) == code && cs.limit == 0xffffffff && is_unlimited(segments[DS]) &&
           is_unlimited(segments[ES]) && is_unlimited(segments[SS]) &&
           (segments[SS].attributes & attribute::big);
}

// The linear address of `offset`, or empty with #GP(0), #SS(0) for the stack segment, raised.
template <class M>
std::optional<std::uint64_t> segmented_address(M& m, SegmentIndex index, std::uint64_t offset,
                                               unsigned size, SegmentAccess access) {
    if (!segment_allows(m.state(), index, offset, size, access)) {
        m.raise({.vector = index == SS ? Vector::StackFault : Vector::GeneralProtection});
        return std::nullopt;
    }
    return static_cast<std::uint32_t>(m.state().segments[index].base + offset);
}

}  // namespace backplane::x86
