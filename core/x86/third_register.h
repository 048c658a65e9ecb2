// The operand kind for a third register: what VEX-encoded integer instructions name in VEX.vvvv or
// ModRM.rm beside two others.
#pragma once

#include "x86/cpu_state.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace backplane::x86 {

// Read only; its place in CpuState is in Op::extra.
template <class T>
struct ThirdRegister {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        T value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + m.op().extra, sizeof value);
        return value;
    }
};

}  // namespace backplane::x86
