// Where MASKMOVQ and MASKMOVDQU store: at DS:rDI, with the segment and the address size the
// instruction says.
#pragma once

#include "x86/string_space.h"

namespace backplane::x86 {

struct MaskedDestination {
    static constexpr bool is_memory = true;

    // Empty when a segment check failed and a fault was raised.
    template <class M>
    static std::optional<std::uint64_t> address(M& m, unsigned size) {
        const std::uint64_t offset = SegmentedStrings::index(m, RDI);
        return SegmentedStrings::linear(m, SegmentedStrings::source_segment(m), offset, size,
                                        SegmentAccess::Write);
    }
};

}  // namespace backplane::x86
