// Operand kinds: where a semantic reads and writes. Stateless types; the fields come from the op
// being executed.
//
// read(m) gives std::optional<T>, empty when a fault was raised (registers and immediates never
// fault, and a compiler sees that). write(m, value) gives false when a fault was raised. update(m,
// f) reads, applies f and writes back; the memory form probes for writing first, so a fault shows
// before anything is changed; it returns the old value.
#pragma once

#include "x86/cpu_state.h"
#include "x86/op.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace backplane::x86 {

template <class T, std::uint8_t Op::* field>
struct Register {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        T value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + m.op().*field,
                    sizeof value);
        return value;
    }

    // SDM 1 3.4.1.1: a 32-bit result is zero-extended to 64 bits, 8- and 16-bit ones leave the rest
    // alone. Outside 64-bit mode the upper half is not architecturally visible, so clearing it is
    // right there too.
    template <class M>
    static bool write(M& m, T value) {
        char* place = reinterpret_cast<char*>(&m.state()) + m.op().*field;
        if constexpr (sizeof(T) == 4) {
            const std::uint64_t wide = value;
            std::memcpy(place, &wide, sizeof wide);
        } else {
            std::memcpy(place, &value, sizeof value);
        }
        return true;
    }

    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        const T before = *read(m);
        write(m, static_cast<T>(f(before)));
        return before;
    }
};

template <class T> using Reg = Register<T, &Op::reg>;
template <class T> using Rm = Register<T, &Op::rm>;

template <class T>
struct Immediate {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(m.op().immediate);
    }
};

// The linear address base + index * scale + displacement. Segment bases, limits and address sizes
// other than 64 bits are resolved by an address micro-op in front (CpuState::effective_address), so
// this is the only form there is.
template <class M>
std::uint64_t linear_address(M& m) {
    const auto slot = [&](std::uint8_t offset) {
        std::uint64_t value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + offset, sizeof value);
        return value;
    };
    const Op& op = m.op();
    return slot(op.base) + (slot(op.index) << op.scale) +
           static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
}

template <class T>
struct Memory {
    using Value = T;
    static constexpr bool is_memory = true;

    template <class M>
    static std::uint64_t address(M& m) {
        return linear_address(m);
    }

    template <class M>
    static std::optional<T> read(M& m) {
        return m.template load<T>(linear_address(m));
    }

    template <class M>
    static bool write(M& m, T value) {
        return m.store(linear_address(m), value);
    }

    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        return m.template update<T>(linear_address(m),
                                    [&](T before) { return static_cast<T>(f(before)); });
    }
};

// Memory under a LOCK prefix (and XCHG): the update is atomic against the other processors.
template <class T>
struct LockedMemory : Memory<T> {
    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        return m.template update_atomically<T>(linear_address(m),
                                               [&](T before) { return static_cast<T>(f(before)); });
    }
};

}  // namespace backplane::x86
