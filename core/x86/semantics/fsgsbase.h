// RDFSBASE, RDGSBASE, WRFSBASE and WRGSBASE (SDM 2).
#pragma once

#include "x86/control_registers.h"
#include "x86/machine.h"
#include "x86/operand.h"

namespace backplane::x86::semantics {

// They exist in 64-bit code only, which the decoder sees to.
inline constexpr auto bases_are_enabled = [](auto& m) {
    if (m.state().cr4 & cr4::fsgsbase) [[likely]]
        return true;
    m.raise({.vector = Vector::InvalidOpcode});
    return false;
};

template <SegmentIndex segment>
inline constexpr auto read_base = [](auto& m, auto dst) {
    if (!bases_are_enabled(m)) return Outcome::Fault;
    dst.write(m, static_cast<typename decltype(dst)::Value>(m.state().segments[segment].base));
    return Outcome::Next;
};

template <SegmentIndex segment>
inline constexpr auto write_base = [](auto& m, auto src) {
    if (!bases_are_enabled(m)) return Outcome::Fault;
    const std::uint64_t base = *src.read(m);
    if (!is_canonical(base)) return m.raise(general_protection());
    m.state().segments[segment].base = base;
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
