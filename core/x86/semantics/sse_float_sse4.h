// SSE3's horizontal arithmetic, and SSE4.1's rounding and dot products (SDM 2).
#pragma once

#include "x86/host_sse4.h"
#include "x86/semantics/sse_float.h"

namespace backplane::x86::semantics {

inline constexpr auto addsubps = float_binary<host::Addsubps>;
inline constexpr auto addsubpd = float_binary<host::Addsubpd>;
inline constexpr auto haddps = float_binary<host::Haddps>;
inline constexpr auto haddpd = float_binary<host::Haddpd>;
inline constexpr auto hsubps = float_binary<host::Hsubps>;
inline constexpr auto hsubpd = float_binary<host::Hsubpd>;

// dst := op(dst, src, control byte).
template <class Operation>
inline constexpr auto float_binary_control =
    sse<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto b = src.read(m);
        if (!b) return Outcome::Fault;
        const auto first = *dst.read(m), second = zero_extend(*b);
        const std::uint8_t by = *control.read(m);
        const auto result = execute_sse<Operation::tiny>(m, [=] [[gnu::always_inline]] {
            return for_each_half([by](Bits128 x, Bits128 y) __attribute__((
                                     always_inline)) { return Operation::compute(x, y, by); },
                                 first, second);
        });
        if (!result) return Outcome::Fault;
        dst.write(m, *result);
        return Outcome::Next;
    }>;

inline constexpr auto roundps = float_binary_control<host::Roundps>;
inline constexpr auto roundpd = float_binary_control<host::Roundpd>;
inline constexpr auto roundss = float_binary_control<host::Roundss>;
inline constexpr auto roundsd = float_binary_control<host::Roundsd>;

// Where an exception may be unmasked, the multiplication and the sums are judged one after another:
// what one step raises keeps the later ones from raising anything (SDM 2, DPPS).
template <class Operation, class Multiply, class AddPairs>
inline constexpr auto dot_product =
    sse<[](auto& m, auto dst, auto src, auto control) __attribute__((always_inline)) {
        const auto source = src.read(m);
        if (!source) return Outcome::Fault;
        const unsigned by = *control.read(m);
        const auto choose = [](auto x, unsigned lanes) __attribute__((always_inline)) {
            return for_each_half([lanes](Bits128 half) { return Operation::choose(half, lanes); },
                                 x);
        };
        const auto a = choose(*dst.read(m), by >> 4), b = choose(*source, by >> 4);
        if ((m.state().mxcsr & mxcsr::masks) != mxcsr::masks) [[unlikely]] {
            auto sums = execute_operation<Multiply>(m, a, b);
            for (unsigned terms = Operation::lanes; sums && terms > 1; terms /= 2)
                sums = execute_operation<AddPairs>(m, *sums, *sums);
            if (!sums) return Outcome::Fault;
        }
        dst.write(m, choose(for_each_half(Operation::compute, a, b), by));
        return Outcome::Next;
    }>;

inline constexpr auto dpps = dot_product<host::Dpps, host::Mulps, host::Haddps>;
inline constexpr auto dppd = dot_product<host::Dppd, host::Mulpd, host::Haddpd>;

}  // namespace backplane::x86::semantics
