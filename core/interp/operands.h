// The interpreter's own operand kinds: what variants.h puts in place of those that the forms name.
#pragma once

#include "interp/slow_access.h"
#include "x86/implicit_operand.h"
#include "x86/operand.h"
#include "x86/stack.h"

#include <cstdint>
#include <cstring>
#include <optional>

namespace backplane::interp {

using x86::Op;

// Base + displacement: most memory operands have no index, and two loads and a shift less are a
// fifth of the work.
template <class M>
BACKPLANE_INLINE std::uint64_t based_address(M& m) {
    const Op& op = m.op();
    std::uint64_t base;
    std::memcpy(&base, reinterpret_cast<const char*>(&m.state()) + op.base, sizeof base);
    return base + static_cast<std::uint64_t>(static_cast<std::int64_t>(op.displacement));
}

template <class T>
struct BasedMemory {
    using Value = T;
    static constexpr bool is_memory = true;

    template <class M>
    static std::uint64_t address(M& m) {
        return based_address(m);
    }

    template <class M>
    static std::optional<T> read(M& m) {
        return m.template load<T>(based_address(m));
    }

    template <class M>
    static bool write(M& m, T value) {
        return m.store(based_address(m), value);
    }

    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        return m.template update<T>(based_address(m),
                                    [&](T before) { return static_cast<T>(f(before)); });
    }
};

// The same for LEA.
template <class T, class A>
struct BasedAddress {
    using Value = T;
    static constexpr bool is_memory = false;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(static_cast<A>(based_address(m)));
    }
};

// Op::reg that, when it is written as a whole, is left for the ops behind.
template <class T>
struct LeavingRegister : x86::Reg<T> {
    static constexpr bool is_whole = sizeof(T) >= 4;

    template <class M>
    static bool write(M& m, T value) {
        if constexpr (is_whole) m.leave(value);
        return x86::Reg<T>::write(m, value);
    }

    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        const T before = *x86::Reg<T>::read(m);
        write(m, static_cast<T>(f(before)));
        return before;
    }
};

// A stack whose pointer is left for the ops behind, and one whose pointer an op before has left.
struct LeavingStack : x86::Stack64 {
    template <class M>
    static void set_pointer(M& m, std::uint64_t pointer) {
        m.leave(pointer);
        x86::Stack64::set_pointer(m, pointer);
    }
};

struct LastStack : LeavingStack {
    template <class M>
    static std::uint64_t pointer(M& m) {
        return m.last();
    }
};

// A register whose value an op before has left.
template <class Register>
struct LastRegister : Register {
    using T = typename Register::Value;

    template <class M>
    static std::optional<T> read(M& m) {
        return static_cast<T>(m.last());
    }

    template <class M, class F>
    static std::optional<T> update(M& m, F f) {
        const T before = *read(m);
        Register::write(m, static_cast<T>(f(before)));
        return before;
    }
};

}  // namespace backplane::interp
