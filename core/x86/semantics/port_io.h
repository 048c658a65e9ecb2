// IN, OUT, INS and OUTS with the I/O privilege checks (SDM 2, SDM 1 19.5).
#pragma once

#include "x86/implicit_operand.h"
#include "x86/semantics/string.h"
#include "x86/string_space.h"
#include "x86/task_state.h"

#include <algorithm>
#include <cstddef>
#include <span>

namespace backplane::x86::semantics {

// Where the port number comes from.
struct PortImmediate {
    template <class M>
    static std::uint16_t port(M& m) {
        return static_cast<std::uint8_t>(m.op().immediate);
    }
};
struct PortInDx {
    template <class M>
    static std::uint16_t port(M& m) {
        return static_cast<std::uint16_t>(m.state().gpr[RDX]);
    }
};

template <class T>
inline constexpr auto in = [](auto& m, auto source) {
    const std::uint16_t port = source.port(m);
    if (!may_access_ports(m, port, sizeof(T))) return Outcome::Fault;
    Accumulator<T>::write(m, m.template in<T>(port));
    return Outcome::Next;
};

template <class T>
inline constexpr auto out = [](auto& m, auto target) {
    const std::uint16_t port = target.port(m);
    if (!may_access_ports(m, port, sizeof(T))) return Outcome::Fault;
    m.out(port, *Accumulator<T>::read(m));
    return Outcome::Next;
};

// A Machine may have in_many(port, size, bytes) and out_many: as many accesses in a row as the
// device makes at once, perhaps none. For memory that is reached directly, upwards.
inline constexpr auto string_port_bulk = [](auto& m, auto space, SegmentIndex segment, Gpr pointer,
                                            std::uint64_t step, unsigned size, std::uint64_t count,
                                            SegmentAccess access, auto move) -> std::uint64_t {
    if (step != size || count < 2) return 0;
    const auto bytes = space.span(m, segment, space.index(m, pointer), access);
    const std::uint64_t whole = std::min<std::uint64_t>(count, bytes.size() / size);
    if (whole < 2) return 0;
    const std::uint64_t done = move(bytes.first(whole * size));
    space.set_index(m, pointer, space.index(m, pointer) + done * size);
    return done;
};

// The port is read only once the destination is known to be writable.
template <class T, Repeat repeat>
inline constexpr auto ins = [](auto& m, auto space) {
    const std::uint16_t port = PortInDx::port(m);
    if (!may_access_ports(m, port, sizeof(T))) return Outcome::Fault;
    const std::uint64_t step = string_step(m, sizeof(T));
    const auto one = [&] {
        const auto target = space.linear(m, ES, space.index(m, RDI), sizeof(T),
                                         SegmentAccess::Write);
        if (!target) return Iteration::Faulted;
        if (!m.template update<T>(*target, [&](T) { return m.template in<T>(port); }))
            return Iteration::Faulted;
        space.set_index(m, RDI, space.index(m, RDI) + step);
        return Iteration::GoOn;
    };
    if constexpr (requires { m.in_many(port, 1u, std::span<std::byte>{}); }) {
        const auto bulk = [&](std::uint64_t count) {
            return string_port_bulk(
                m, space, ES, RDI, step, sizeof(T), count, SegmentAccess::Write,
                [&](std::span<std::byte> to) { return m.in_many(port, sizeof(T), to); });
        };
        return repeat_string<repeat>(m, space, one, bulk);
    } else {
        return repeat_string<repeat>(m, space, one, no_bulk);
    }
};

template <class T, Repeat repeat>
inline constexpr auto outs = [](auto& m, auto space) {
    const std::uint16_t port = PortInDx::port(m);
    if (!may_access_ports(m, port, sizeof(T))) return Outcome::Fault;
    const std::uint64_t step = string_step(m, sizeof(T));
    const SegmentIndex segment = space.source_segment(m);
    const auto one = [&] {
        const auto source = space.linear(m, segment, space.index(m, RSI), sizeof(T),
                                         SegmentAccess::Read);
        if (!source) return Iteration::Faulted;
        const auto value = m.template load<T>(*source);
        if (!value) return Iteration::Faulted;
        m.out(port, *value);
        space.set_index(m, RSI, space.index(m, RSI) + step);
        return Iteration::GoOn;
    };
    if constexpr (requires { m.out_many(port, 1u, std::span<const std::byte>{}); }) {
        const auto bulk = [&](std::uint64_t count) {
            return string_port_bulk(
                m, space, segment, RSI, step, sizeof(T), count, SegmentAccess::Read,
                [&](std::span<const std::byte> from) { return m.out_many(port, sizeof(T), from); });
        };
        return repeat_string<repeat>(m, space, one, bulk);
    } else {
        return repeat_string<repeat>(m, space, one, no_bulk);
    }
};

}  // namespace backplane::x86::semantics
