// Operand kinds for a selector with an offset: far jumps and calls, LDS to LSS.
#pragma once

#include "x86/descriptor.h"
#include "x86/operand.h"

namespace backplane::x86 {

struct FarPointer {
    Selector selector;
    std::uint64_t offset = 0;
};

// m16:16, m16:32 or m16:64: the offset first.
template <class Offset>
struct FarMemory {
    template <class M>
    static std::optional<FarPointer> read_far(M& m) {
        const std::uint64_t address = linear_address(m);
        const auto offset = m.template load<Offset>(address);
        if (!offset) return {};
        const auto selector = m.template load<std::uint16_t>(address + sizeof(Offset));
        if (!selector) return {};
        return FarPointer{{*selector}, *offset};
    }
};

// ptr16:16 or ptr16:32: the offset in Op::immediate, the selector in Op::extra.
struct FarImmediate {
    template <class M>
    static std::optional<FarPointer> read_far(M& m) {
        return FarPointer{{static_cast<std::uint16_t>(m.op().extra)}, m.op().immediate};
    }
};

}  // namespace backplane::x86
