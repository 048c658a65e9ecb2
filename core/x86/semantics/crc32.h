// CRC32 (SDM 2, SSE4.2).
#pragma once

#include "x86/crc32c.h"
#include "x86/machine.h"
#include "x86/operand.h"

namespace backplane::x86::semantics {

// Of a 64-bit destination the lower half counts; the upper one becomes zero.
inline constexpr auto crc32 = [](auto& m, auto dst, auto src) __attribute__((always_inline)) {
    const auto data = src.read(m);
    if (!data) return Outcome::Fault;
    dst.write(m, crc32c::update(static_cast<std::uint32_t>(*dst.read(m)), *data));
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
