// MOVS, STOS, LODS, SCAS and CMPS with their REP prefixes, and XLAT (SDM 2).
//
// Registers move with every iteration, so a fault or an interruption in the middle shows exactly
// the completed ones and the instruction is simply executed again. MOVS and STOS go page by page
// where memory is plain RAM.
#pragma once

#include "x86/implicit_operand.h"
#include "x86/machine.h"
#include "x86/string_space.h"

#include <algorithm>

namespace backplane::x86::semantics {

enum class Repeat : std::uint8_t { Once, Count, WhileEqual, WhileNotEqual };
enum class Iteration : std::uint8_t { Faulted, Last, GoOn };

inline constexpr auto string_step = [](auto& m, std::size_t size) __attribute__((always_inline)) {
    return (m.state().rflags & rflags::df) ? 0 - std::uint64_t{size} : std::uint64_t{size};
};

// Runs `iteration` as the prefix says. `bulk(count)` may do several iterations at once and tells
// how many it did.
template <Repeat repeat, class M, class Space, class One, class Bulk>
[[gnu::always_inline]] inline Outcome repeat_string(M& m, Space space, One iteration, Bulk bulk) {
    if constexpr (repeat == Repeat::Once) {
        return iteration() == Iteration::Faulted ? Outcome::Fault : Outcome::Next;
    } else {
        constexpr unsigned iterations_between_questions = 64;
        std::uint64_t count = space.index(m, RCX);
        const std::uint64_t first_count = count;
        // A single step is one iteration (SDM 3B 17.3.1.4), and a breakpoint may be met by each.
        constexpr std::uint64_t breakpoints = 0xff;  // DR7's enables
        const bool stepped = (m.state().rflags & rflags::tf) || (m.state().dr[7] & breakpoints);
        // SDM 2, REP: a fault within a repeated comparison leaves the flags as they were before the
        // instruction.
        [[maybe_unused]] const LazyFlags flags_before = m.flags();
        Outcome outcome = Outcome::Next;
        for (unsigned since_question = 0; count != 0;) {
            Iteration state = Iteration::GoOn;
            std::uint64_t done = stepped ? 0 : bulk(count);
            if (done == 0) {
                state = iteration();
                if (state == Iteration::Faulted) {
                    if constexpr (repeat != Repeat::Count) m.flags() = flags_before;
                    outcome = Outcome::Fault;
                    break;
                }
                done = 1;
            }
            count -= done;
            space.set_index(m, RCX, count);
            if (state == Iteration::Last) break;
            if (stepped && count != 0) {
                outcome = Outcome::Again;
                break;
            }
            since_question += done > iterations_between_questions ? iterations_between_questions
                                                                  : static_cast<unsigned>(done);
            if (count == 0 || since_question < iterations_between_questions) continue;
            since_question = 0;
            if (m.should_yield()) {
                outcome = Outcome::Again;
                break;
            }
        }
        m.count_rep_iterations(first_count - count);
        return outcome;
    }
}

inline constexpr auto no_bulk = [](std::uint64_t) { return std::uint64_t{0}; };

// What `count` iterations of MOVS do to two pieces of host memory, in the order of the iterations:
// where the destination lies ahead of the source within reach, the copied bytes are copied again.
template <class T>
void copy_in_iteration_order(std::byte* to, const std::byte* from, std::size_t bytes) {
    const auto distance = static_cast<std::size_t>(reinterpret_cast<std::uintptr_t>(to) -
                                                   reinterpret_cast<std::uintptr_t>(from));
    if (distance >= bytes) {  // also when the destination is behind: the difference is huge then
        std::memmove(to, from, bytes);
        return;
    }
    if (distance == 0) return;
    const std::size_t stride = distance / sizeof(T) * sizeof(T);
    if (stride == 0) {
        for (std::size_t i = 0; i < bytes; i += sizeof(T)) {
            T value;
            std::memcpy(&value, from + i, sizeof value);
            std::memcpy(to + i, &value, sizeof value);
        }
        return;
    }
    if (stride != distance) {
        for (std::size_t i = 0; i < bytes; i += stride)
            std::memcpy(to + i, from + i, std::min(stride, bytes - i));
        return;
    }
    // The result is periodic, so what has been written doubles each time.
    std::memcpy(to, from, distance);
    for (std::size_t done = distance; done < bytes; done *= 2)
        std::memcpy(to + done, to, std::min(done, bytes - done));
}

template <class T>
void fill(std::byte* to, T value, std::size_t count) {
    if constexpr (sizeof(T) == 1) {
        std::memset(to, value, count);
    } else {
        for (std::size_t i = 0; i < count; ++i)
            std::memcpy(to + i * sizeof(T), &value, sizeof value);
    }
}

template <class T, Repeat repeat>
inline constexpr auto movs = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t step = string_step(m, sizeof(T));
    const SegmentIndex segment = space.source_segment(m);
    const auto advance = [&](std::uint64_t distance) {
        space.set_index(m, RSI, space.index(m, RSI) + distance);
        space.set_index(m, RDI, space.index(m, RDI) + distance);
    };
    const auto one = [&] {
        const auto source = space.linear(m, segment, space.index(m, RSI), sizeof(T),
                                         SegmentAccess::Read);
        if (!source) return Iteration::Faulted;
        const auto value = m.template load<T>(*source);
        if (!value) return Iteration::Faulted;
        const auto target = space.linear(m, ES, space.index(m, RDI), sizeof(T),
                                         SegmentAccess::Write);
        if (!target || !m.store(*target, *value)) return Iteration::Faulted;
        advance(step);
        return Iteration::GoOn;
    };
    const auto bulk = [&](std::uint64_t count) -> std::uint64_t {
        if (step != sizeof(T) || count < 2) return 0;
        const auto source = space.span(m, segment, space.index(m, RSI), SegmentAccess::Read);
        if (source.size() < sizeof(T)) return 0;
        const auto target = space.span(m, ES, space.index(m, RDI), SegmentAccess::Write);
        const std::uint64_t room = std::min(source.size(), target.size()) / sizeof(T);
        const std::uint64_t iterations = std::min(count, room);
        if (iterations == 0) return 0;
        copy_in_iteration_order<T>(target.data(), source.data(), iterations * sizeof(T));
        advance(iterations * sizeof(T));
        return iterations;
    };
    return repeat_string<repeat>(m, space, one, bulk);
};

template <class T, Repeat repeat>
inline constexpr auto stos = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t step = string_step(m, sizeof(T));
    const T value = *Accumulator<T>::read(m);
    const auto one = [&] {
        const auto target = space.linear(m, ES, space.index(m, RDI), sizeof(T),
                                         SegmentAccess::Write);
        if (!target || !m.store(*target, value)) return Iteration::Faulted;
        space.set_index(m, RDI, space.index(m, RDI) + step);
        return Iteration::GoOn;
    };
    const auto bulk = [&](std::uint64_t count) -> std::uint64_t {
        if (step != sizeof(T) || count < 2) return 0;
        const auto target = space.span(m, ES, space.index(m, RDI), SegmentAccess::Write);
        const std::uint64_t iterations = std::min<std::uint64_t>(count, target.size() / sizeof(T));
        if (iterations == 0) return 0;
        fill(target.data(), value, iterations);
        space.set_index(m, RDI, space.index(m, RDI) + iterations * sizeof(T));
        return iterations;
    };
    return repeat_string<repeat>(m, space, one, bulk);
};

template <class T, Repeat repeat>
inline constexpr auto lods = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t step = string_step(m, sizeof(T));
    const SegmentIndex segment = space.source_segment(m);
    const auto one = [&] {
        const auto source = space.linear(m, segment, space.index(m, RSI), sizeof(T),
                                         SegmentAccess::Read);
        if (!source) return Iteration::Faulted;
        const auto value = m.template load<T>(*source);
        if (!value) return Iteration::Faulted;
        Accumulator<T>::write(m, *value);
        space.set_index(m, RSI, space.index(m, RSI) + step);
        return Iteration::GoOn;
    };
    return repeat_string<repeat>(m, space, one, no_bulk);
};

template <Repeat repeat>
constexpr Iteration after_comparison(bool equal) {
    return equal == (repeat == Repeat::WhileEqual) ? Iteration::GoOn : Iteration::Last;
}

template <class T, Repeat repeat>
inline constexpr auto scas = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t step = string_step(m, sizeof(T));
    const T wanted = *Accumulator<T>::read(m);
    const auto one = [&] {
        const auto target = space.linear(m, ES, space.index(m, RDI), sizeof(T),
                                         SegmentAccess::Read);
        if (!target) return Iteration::Faulted;
        const auto value = m.template load<T>(*target);
        if (!value) return Iteration::Faulted;
        space.set_index(m, RDI, space.index(m, RDI) + step);
        m.flags().set_sub(wanted, *value);
        return after_comparison<repeat>(wanted == *value);
    };
    return repeat_string<repeat>(m, space, one, no_bulk);
};

template <class T, Repeat repeat>
inline constexpr auto cmps = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t step = string_step(m, sizeof(T));
    const SegmentIndex segment = space.source_segment(m);
    const auto one = [&] {
        const auto source = space.linear(m, segment, space.index(m, RSI), sizeof(T),
                                         SegmentAccess::Read);
        if (!source) return Iteration::Faulted;
        const auto first = m.template load<T>(*source);
        if (!first) return Iteration::Faulted;
        const auto target = space.linear(m, ES, space.index(m, RDI), sizeof(T),
                                         SegmentAccess::Read);
        if (!target) return Iteration::Faulted;
        const auto second = m.template load<T>(*target);
        if (!second) return Iteration::Faulted;
        space.set_index(m, RSI, space.index(m, RSI) + step);
        space.set_index(m, RDI, space.index(m, RDI) + step);
        m.flags().set_sub(*first, *second);
        return after_comparison<repeat>(*first == *second);
    };
    return repeat_string<repeat>(m, space, one, no_bulk);
};

inline constexpr auto xlat = [](auto& m, auto space) __attribute__((always_inline)) {
    const std::uint64_t table = space.index(m, RBX) + *Accumulator<std::uint8_t>::read(m);
    const std::uint64_t offset = space.truncated(m, table);
    const auto source = space.linear(m, space.source_segment(m), offset, 1, SegmentAccess::Read);
    if (!source) return Outcome::Fault;
    const auto value = m.template load<std::uint8_t>(*source);
    if (!value) return Outcome::Fault;
    Accumulator<std::uint8_t>::write(m, *value);
    return Outcome::Next;
};

}  // namespace backplane::x86::semantics
