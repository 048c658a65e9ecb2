// The functions that execute one semantic with one set of operand kinds: all variants of an op come
// from here.
//
// A variant has other operand kinds, which know more, or a machine without flags. What is known of
// an op is found out by the block builder (find_unread_flags and choose_handlers).
//
// `last` shortens the chains of instructions that work on each other's results: an op that writes a
// whole general register leaves the value in a host register too, and the ops behind take it from
// there instead of from CpuState, where it would be several cycles late.
#pragma once

#include "interp/dispatch.h"
#include "interp/engine.h"
#include "interp/operands.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

namespace backplane::interp {

// ---- What each operand kind makes of knowledge ----

// The operand kinds of the integer instructions that programs consist of are those that have a line
// below. Where others are among the operands, all that counts is whether there is an index. So it
// is with 16 bits, which are rare outside 16-bit code.
template <class Operand, bool integer = false>
struct Unrefined {
    static constexpr bool is_integer = integer;
    static constexpr bool accesses = false;
    static constexpr std::uint8_t gains_from = 0;
    template <std::uint8_t> using Type = Operand;
};

template <class Operand> struct Refinement : Unrefined<Operand> {};
template <class T> struct Refinement<x86::Immediate<T>> : Unrefined<x86::Immediate<T>, true> {};
template <> struct Refinement<x86::NonzeroCount> : Unrefined<x86::NonzeroCount, true> {};

template <class T> inline constexpr bool is_common = sizeof(T) != 2;

// An op leaves one register. Where there is a stack, that is the stack pointer.
constexpr std::uint8_t leaves_stack_pointer = 128;  // beside what is known

template <class T>
struct Refinement<x86::Reg<T>> {
    static constexpr bool is_integer = is_common<T>;
    static constexpr bool accesses = false;
    static constexpr std::uint8_t gains_from = sizeof(T) >= 4 ? knows::reg_is_last : 0;
    template <std::uint8_t known>
    using Written =
        std::conditional_t<(known & leaves_stack_pointer) != 0, x86::Reg<T>, LeavingRegister<T>>;
    template <std::uint8_t known>
    using Type = std::conditional_t<(known & knows::reg_is_last) != 0, LastRegister<Written<known>>,
                                    Written<known>>;
};

template <class T>
struct Refinement<x86::Rm<T>> {
    static constexpr bool is_integer = is_common<T>;
    static constexpr bool accesses = false;
    static constexpr std::uint8_t gains_from = is_common<T> ? knows::rm_is_last : 0;
    template <std::uint8_t known>
    using Type =
        std::conditional_t<(known & knows::rm_is_last) != 0, LastRegister<x86::Rm<T>>, x86::Rm<T>>;
};

template <>
struct Refinement<x86::Stack64> {
    static constexpr bool is_integer = true;
    static constexpr bool accesses = true;
    static constexpr std::uint8_t gains_from = knows::stack_is_last;
    template <std::uint8_t known>
    using Type = std::conditional_t<(known & knows::stack_is_last) != 0, LastStack, LeavingStack>;
};

template <class Any, class WithoutIndex, bool memory>
struct AddressRefinement {
    static constexpr bool is_integer = true;
    static constexpr bool accesses = memory;
    static constexpr std::uint8_t gains_from = knows::no_index;
    template <std::uint8_t known>
    using Type = std::conditional_t<(known & knows::no_index) != 0, WithoutIndex, Any>;
};

template <class T>
struct Refinement<x86::Memory<T>> : AddressRefinement<x86::Memory<T>, BasedMemory<T>, true> {};
template <class T, class A>
struct Refinement<x86::EffectiveAddress<T, A>>
    : AddressRefinement<x86::EffectiveAddress<T, A>, BasedAddress<T, A>, false> {};

// ---- The variants ----

// What a variant may rely on, the most valuable first.
inline constexpr std::array<std::uint8_t, 8> worth_knowing{knows::rm_is_last | knows::flags_unread,
                                                           knows::reg_is_last | knows::flags_unread,
                                                           knows::flags_unread,
                                                           knows::no_index,
                                                           knows::stack_is_last,
                                                           knows::rm_is_last,
                                                           knows::reg_is_last,
                                                           0};

// Behind an access the block may be left, and then flags are seen. Beside an access a register that
// comes late does not count.
template <class... Operands>
constexpr std::uint8_t useful_knowledge() {
    constexpr auto all = static_cast<std::uint8_t>((0 | ... | Refinement<Operands>::gains_from));
    if constexpr (sizeof...(Operands) == 0 || !(Refinement<Operands>::is_integer && ...))
        return all & knows::no_index;
    else if constexpr ((Refinement<Operands>::accesses || ...))
        return all & (knows::no_index | knows::stack_is_last);
    else
        return all | knows::flags_unread;
}

template <class Operand> inline constexpr bool is_left = false;
template <class T> inline constexpr bool is_left<x86::Reg<T>> = LeavingRegister<T>::is_whole;

template <class... Operands>
constexpr Left left_by() {
    if constexpr ((std::is_same_v<Operands, x86::Stack64> || ...)) return Left::StackPointer;
    return (is_left<Operands> || ...) ? Left::Reg : Left::None;
}

template <auto semantic, class... Operands>
constexpr auto make_variants() {
    constexpr std::uint8_t useful = useful_knowledge<Operands...>();
    constexpr Left leaves = left_by<Operands...>();
    constexpr std::uint8_t context = leaves == Left::StackPointer ? leaves_stack_pointer : 0;
    constexpr auto has = [](std::uint8_t known) { return (known & ~useful) == 0; };
    std::array<Variant, std::ranges::count_if(worth_knowing, has)> variants{};
    std::size_t count = 0;
    const auto add = [&]<std::size_t i>() {
        constexpr std::uint8_t known = worth_knowing[i];
        if constexpr (has(known)) {
            using Machine = std::conditional_t<(known & knows::flags_unread) != 0, FlaglessMachine,
                                               InterpreterMachine>;
            variants[count++] = {
                .function =
                    &execute<Machine, semantic,
                             typename Refinement<Operands>::template Type<known | context>...>,
                .relies_on = known,
                .leaves = leaves};
        }
    };
    [&]<std::size_t... i>(std::index_sequence<i...>) {
        (add.template operator()<i>(), ...);
    }(std::make_index_sequence<worth_knowing.size()>{});
    return variants;
}

template <auto semantic, class... Operands>
inline constexpr auto variants_of = make_variants<semantic, Operands...>();

}  // namespace backplane::interp
