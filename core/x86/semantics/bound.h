// BOUND (SDM 2).
#pragma once

#include "x86/machine.h"

#include <type_traits>

namespace backplane::x86::semantics {

// `bounds` has twice the width of `index`: the lower bound first, both signed.
inline constexpr auto bound = [](auto& m, auto index, auto bounds) {
    using T = typename decltype(index)::Value;
    using Signed = std::make_signed_t<T>;
    // Each bound is aligned on its own.
    const std::uint64_t place = bounds.address(m);
    const auto lower = m.template load<T>(place);
    if (!lower) return Outcome::Fault;
    const auto upper = m.template load<T>(place + sizeof(T));
    if (!upper) return Outcome::Fault;
    const auto value = static_cast<Signed>(*index.read(m));
    if (value < static_cast<Signed>(*lower) || value > static_cast<Signed>(*upper))
        return m.raise({.vector = Vector::BoundRange});
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
