// BOUND (SDM 2).
#pragma once

#include "x86/machine.h"

#include <type_traits>

namespace backplane::x86::semantics {

// `bounds` has twice the width of `index`: the lower bound first, both signed.
inline constexpr auto bound = [](auto& m, auto index, auto bounds) {
    using T = typename decltype(index)::Value;
    using Signed = std::make_signed_t<T>;
    const auto pair = bounds.read(m);
    if (!pair) return Outcome::Fault;
    const auto value = static_cast<Signed>(*index.read(m));
    const auto lower = static_cast<Signed>(*pair);
    const auto upper = static_cast<Signed>(*pair >> (8 * sizeof(T)));
    if (value < lower || value > upper) return m.raise({.vector = Vector::BoundRange});
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
