// The address micro-op: computes a linear address that the plain memory operand kind cannot
// express.
//
// It runs in front of the instruction's own op and leaves the address in
// CpuState::effective_address.
#pragma once

#include "x86/machine.h"
#include "x86/segmented_address.h"

#include <cstring>
#include <optional>

namespace backplane::x86 {

// What Op::extra holds for the micro-op.
namespace address_op {
constexpr std::uint32_t pack(unsigned segment, unsigned size, bool writes) {
    return segment | (writes ? 0x100u : 0u) | size << 16;
}
constexpr SegmentIndex segment(std::uint32_t extra) { return static_cast<SegmentIndex>(extra & 7); }
constexpr SegmentAccess access(std::uint32_t extra) {
    return (extra & 0x100) ? SegmentAccess::Write : SegmentAccess::Read;
}
constexpr unsigned size(std::uint32_t extra) { return extra >> 16; }
}  // namespace address_op

// Address spaces: how an offset of width A becomes linear.

// 64-bit code, segment base zero.
template <class A>
struct FlatSpace {
    template <class M>
    static std::optional<std::uint64_t> linear(M&, std::uint64_t offset) {
        return static_cast<A>(offset);
    }
};

// 64-bit code, FS or GS: the base counts, limit and type do not (SDM 3A 3.4.4).
template <class A>
struct BasedSpace {
    template <class M>
    static std::optional<std::uint64_t> linear(M& m, std::uint64_t offset) {
        return m.state().segments[address_op::segment(m.op().extra)].base + static_cast<A>(offset);
    }
};

// 16- and 32-bit code: real, virtual-8086, protected and compatibility mode.
template <class A>
struct LegacySpace {
    template <class M>
    static std::optional<std::uint64_t> linear(M& m, std::uint64_t offset) {
        const std::uint32_t extra = m.op().extra;
        return segmented_address(m, address_op::segment(extra), static_cast<A>(offset),
                                 address_op::size(extra), address_op::access(extra));
    }
};

// The same for an address that is not accessed (INVLPG): no limit or type counts.
template <class A>
struct UncheckedSpace {
    template <class M>
    static std::optional<std::uint64_t> linear(M& m, std::uint64_t offset) {
        const std::uint64_t base = m.state().segments[address_op::segment(m.op().extra)].base;
        return static_cast<std::uint32_t>(base + static_cast<A>(offset));
    }
};

// The second operand of BT, BTS, BTR and BTC in memory: a register's bit offset reaches beyond the
// operand (SDM 2, BT).
struct NoBitIndex {
    template <class M>
    static std::uint64_t displacement(M&) {
        return 0;
    }
};

template <class T>
struct BitIndex {
    template <class M>
    static std::uint64_t displacement(M& m) {
        constexpr std::int64_t bits = 8 * sizeof(T);
        std::make_signed_t<T> index;
        std::memcpy(&index, reinterpret_cast<const char*>(&m.state()) + m.op().reg, sizeof index);
        // Rounds towards minus infinity, as the bit string extends below the address too.
        return static_cast<std::uint64_t>((static_cast<std::int64_t>(index) & -bits) / 8);
    }
};

namespace semantics {

inline constexpr auto form_address = [](auto& m, auto space,
                                        auto bit_index) __attribute__((always_inline)) {
    const auto slot = [&](std::uint8_t offset) {
        std::uint64_t value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + offset, sizeof value);
        return value;
    };
    const Op& op = m.op();
    const std::uint64_t offset = slot(op.base) + (slot(op.index) << op.scale) + op.immediate +
                                 bit_index.displacement(m);
    // A segment that refuses is found out by the access: #UD and #NM of the instruction come first
    // (SDM 3A table 6-2).
    const auto linear = space.linear(m, offset);
    m.state().effective_address = linear ? *linear : m.unreachable();
    return Outcome::Next;
};

}  // namespace semantics
}  // namespace backplane::x86
