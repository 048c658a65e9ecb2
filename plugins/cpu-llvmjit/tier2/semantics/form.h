// One semantic with one set of operand kinds, by which the bitcode of the semantics and the program
// know what the other one means: the type's name is the same in both.
#pragma once

#include "x86/cpu_state.h"
#include "x86/fault.h"
#include "x86/implicit_operand.h"
#include "x86/op.h"
#include "x86/semantics/address.h"
#include "x86/stack.h"
#include "x86/tlb.h"

#include <cstdint>
#include <type_traits>
#include <typeinfo>

namespace backplane::jit::tier2 {

template <auto semantic, class... Operands>
struct Form {};

// Operand kinds of code that is not 64-bit code.
template <class Operand> inline constexpr bool is_legacy = false;
template <> inline constexpr bool is_legacy<x86::StackLegacy> = true;
template <class A> inline constexpr bool is_legacy<x86::LegacySpace<A>> = true;
template <class A> inline constexpr bool is_legacy<x86::UncheckedSpace<A>> = true;
// A branch of 16 bits in 64-bit code leads far away.
template <> inline constexpr bool is_legacy<x86::TruncatedTarget> = true;

template <class... Operands>
inline constexpr bool is_covered = !(is_legacy<Operands> || ...);

// What executes one: `state` is a copy of the guest's registers that nobody else sees, and what the
// op says comes apart, so that constants take the place of loads. Where the outcome is neither Next
// nor Jump nothing has changed, and the interpreter is to execute the instruction.
using FormFunction = x86::Outcome(x86::CpuState* state, const x86::FastPages* pages,
                                  std::uint64_t* target, std::uint8_t reg, std::uint8_t rm,
                                  std::uint8_t base, std::uint8_t index, std::uint8_t scale,
                                  std::uint8_t length, std::uint16_t offset,
                                  std::int32_t displacement, std::uint32_t extra,
                                  std::uint64_t immediate);

// The bitcode has one of these for each form.
struct FormEntry {
    const std::type_info* form;
    FormFunction* function;
};

}  // namespace backplane::jit::tier2
