// Makes the interpreter's handlers out of semantics; included by the files that instantiate a
// family of forms.
#pragma once

#include "dispatch.h"
#include "engine.h"
#include "x86/forms.h"
#include "x86/implicit_operand.h"
#include "x86/operand.h"

namespace backplane::interp {

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

template <class Operand>
struct WithoutIndex {
    using Type = Operand;
    static constexpr bool differs = false;
};

template <class T>
struct WithoutIndex<x86::Memory<T>> {
    using Type = BasedMemory<T>;
    static constexpr bool differs = true;
};

template <auto semantic, class... Operands>
Handler InterpreterEngine::handler() {
    if constexpr ((WithoutIndex<Operands>::differs || ...))
        return {&execute<semantic, Operands...>,
                &execute<semantic, typename WithoutIndex<Operands>::Type...>};
    else
        return &execute<semantic, Operands...>;
}

}  // namespace backplane::interp
