// Memory that an instruction accesses element by element, each only when its mask bit is set:
// VMASKMOV, VPMASKMOV and the gathers (SDM 2). No element that is masked off is checked. Only the
// first offset of a masked move is cut to the address size, as of any other operand: elements do
// not wrap.
#pragma once

#include "x86/any_alignment.h"
#include "x86/operand.h"
#include "x86/string_space.h"

namespace backplane::x86 {

// Op::base, index and scale are those of the memory operand, Op::immediate has the displacement,
// Op::extra what SegmentedStrings::pack gives.
struct VectorElements {
    static constexpr bool is_memory = true, is_vex = true;

    template <class M>
    static std::uint64_t slot(M& m, std::uint8_t offset) {
        std::uint64_t value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + offset, sizeof value);
        return value;
    }

    // The offset in the segment of a masked move's first element.
    template <class M>
    static std::uint64_t start(M& m) {
        return SegmentedStrings::truncated(
            m, slot(m, m.op().base) + (slot(m, m.op().index) << m.op().scale) + m.op().immediate);
    }

    // That of a gather's element.
    template <class M>
    static std::uint64_t place(M& m, std::uint64_t index) {
        return SegmentedStrings::truncated(m, slot(m, m.op().base) + (index << m.op().scale) +
                                                  m.op().immediate);
    }

    // Empty when a segment check failed and a fault was raised.
    template <class M>
    static std::optional<std::uint64_t> linear(M& m, std::uint64_t offset, unsigned size,
                                               SegmentAccess access) {
        return SegmentedStrings::linear(m, SegmentedStrings::source_segment(m), offset, size,
                                        access);
    }

    template <class T, class M>
    static std::optional<T> load(M& m, std::uint64_t offset) {
        const auto address = linear(m, offset, sizeof(T), SegmentAccess::Read);
        if (!address) return {};
        return load_at_any_alignment<T>(m, *address);
    }
};

}  // namespace backplane::x86
