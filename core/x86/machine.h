// What a semantic may ask of the engine that executes it. Nothing else is reachable from
// core/x86/semantics.
#pragma once

#include "x86/cpu_state.h"
#include "x86/fault.h"
#include "x86/op.h"
#include "x86/segmented_address.h"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace backplane::x86 {

// A Machine is made for one instruction: it knows the op being executed and the state it works on.
//
//   flags()                         the arithmetic flags, for semantics that read or write them one
//   by one: state().flags, or a copy when nobody reads what the instruction leaves there.
//   load<T>(linear)                 optional<T>; empty = page fault raised. T: 1 to 16 bytes, any
//   alignment. store(linear, value)            false = page fault raised, nothing written, also
//   across a page boundary. update<T>(linear, f)            optional<T> old value; checked for
//   writing before the read. update_atomically<T>(linear, f) the same, atomic against other
//   processors. in<T>(port), out<T>(port, v)    the I/O bus; the semantic has checked IOPL and the
//   permission bitmap. direct_span(linear, access)     std::span<std::byte> over the plain RAM at
//   `linear`, at most to the end of its page;
//                                   empty when it is not plain RAM or not accessible (then load and
//                                   store decide).
//   should_yield()                  asked by REP from time to time: true = return Outcome::Again
//   soon. count_rep_iterations(n)         iterations of REP are counted apart from instructions.
//   raise(fault)                    records the fault and gives Outcome::Fault to return.
//   unreachable()                   an address at which every access raises the fault just raised:
//   for an operand that its segment refuses, as the instruction may have an exception of its own
//   that comes first.
//   next_ip()                       RIP of the following instruction.
//   restart_at(ip)                  what is raised from now on is raised by the instruction at
//   `ip`: a task switch is past the point from which it can be undone. jump(ip) sets the next RIP
//   and gives Outcome::Jump to return. A 64-bit target that is not canonical is #GP(0) of a
//   relative branch, which has changed nothing else. system()                        the rare
//   services (TLB flushes, MSRs, CPUID, time): see system_services.h.
//
// All accesses are made with the current privilege; `load_system`, `store_system` and
// `update_system_atomically` with supervisor privilege, for descriptor tables and task-state
// segments.
template <class M>
concept Machine = requires(M& m, const M& cm, std::uint64_t address, std::uint16_t port,
                           std::uint32_t value, Fault fault) {
    { m.state() } -> std::same_as<CpuState&>;
    { m.flags() } -> std::same_as<LazyFlags&>;
    { cm.op() } -> std::same_as<const Op&>;
    { m.template load<std::uint32_t>(address) } -> std::same_as<std::optional<std::uint32_t>>;
    { m.store(address, value) } -> std::same_as<bool>;
    {
        m.template update<std::uint32_t>(address, [](std::uint32_t v) { return v; })
    } -> std::same_as<std::optional<std::uint32_t>>;
    {
        m.template update_atomically<std::uint32_t>(address, [](std::uint32_t v) { return v; })
    } -> std::same_as<std::optional<std::uint32_t>>;
    {
        m.template load_system<std::uint64_t>(address)
    } -> std::same_as<std::optional<std::uint64_t>>;
    { m.store_system(address, value) } -> std::same_as<bool>;
    {
        m.template update_system_atomically<std::uint8_t>(address, [](std::uint8_t v) { return v; })
    } -> std::same_as<std::optional<std::uint8_t>>;
    { m.template in<std::uint32_t>(port) } -> std::same_as<std::uint32_t>;
    { m.out(port, value) } -> std::same_as<void>;
    { m.direct_span(address, SegmentAccess::Read) } -> std::same_as<std::span<std::byte>>;
    { m.should_yield() } -> std::same_as<bool>;
    m.count_rep_iterations(address);
    { m.raise(fault) } -> std::same_as<Outcome>;
    { m.unreachable() } -> std::same_as<std::uint64_t>;
    { m.next_ip() } -> std::same_as<std::uint64_t>;
    m.restart_at(address);
    { m.jump(address) } -> std::same_as<Outcome>;
    m.system();
};

}  // namespace backplane::x86
