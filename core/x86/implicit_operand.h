// Operand kinds for registers and targets that the opcode implies.
#pragma once

#include "x86/operand.h"

namespace backplane::x86 {

// A register named by the opcode itself, at a fixed offset in CpuState.
template <class T, std::size_t offset>
struct FixedRegister {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        T value;
        std::memcpy(&value, reinterpret_cast<const char*>(&m.state()) + offset, sizeof value);
        return value;
    }

    template <class M>
    static bool write(M& m, T value) {
        char* place = reinterpret_cast<char*>(&m.state()) + offset;
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

template <class T> using Accumulator = FixedRegister<T, RAX * 8>;
template <class T> using Counter = FixedRegister<T, RCX * 8>;
template <class T> using Data = FixedRegister<T, RDX * 8>;
using AccumulatorHigh = FixedRegister<std::uint8_t, RAX * 8 + 1>;

// A count that the binder has masked and found not to be zero, so that a shift need not ask.
struct NonzeroCount {
    using Value = std::uint8_t;
    static constexpr bool is_memory = false;
    static constexpr bool is_never_zero = true;

    template <class M>
    static std::optional<std::uint8_t> read(M& m) {
        return static_cast<std::uint8_t>(m.op().immediate);
    }
};

// What LEA computes: the address truncated to its width A, then to the destination's.
template <class T, class A>
struct EffectiveAddress {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(static_cast<A>(linear_address(m)));
    }
};

// The target of a relative branch; T is the width of the instruction pointer. Op::immediate holds
// its distance from the start of the block.
template <class T>
struct RelativeTarget {
    using Value = T;
    static constexpr bool is_memory = false;
    static constexpr bool is_relative = true;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(m.state().block_ip + m.op().immediate);
    }
};

// The same with 16 bits in 64-bit code: far from the block, so it is no link between blocks.
struct TruncatedTarget {
    using Value = std::uint16_t;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<std::uint16_t> read(M& m) {
        return static_cast<std::uint16_t>(m.state().block_ip + m.op().immediate);
    }
};

// The same as RelativeTarget for a comparison fused with the branch behind it, which needs the
// immediate itself: the distance is in extra.
template <class T>
struct FusedTarget {
    using Value = T;
    static constexpr bool is_memory = false;
    static constexpr bool is_relative = true;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(m.state().block_ip +
                              static_cast<std::uint64_t>(static_cast<std::int32_t>(m.op().extra)));
    }
};

}  // namespace backplane::x86
