// IN, OUT, INS and OUTS with the I/O privilege checks (SDM 2, SDM 1 19.5).
#pragma once

#include "x86/implicit_operand.h"
#include "x86/semantics/string.h"
#include "x86/string_space.h"
#include "x86/task_state.h"

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
    return repeat_string<repeat>(m, space, one, no_bulk);
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
    return repeat_string<repeat>(m, space, one, no_bulk);
};

}  // namespace backplane::x86::semantics
