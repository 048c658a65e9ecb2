// Where compiled code keeps the guest's registers, in all blocks alike, so that a block goes on in
// the next one without moving anything.
//
//   RSP  Core, with a stack of its own in front of it (interp::CompiledStack)
//   R12  instructions that may still be executed, out of Core::budget
//   RAX  the arithmetic flags as LAHF and SETO AL leave them, where they are not in the host's own
//   R13, R14  free
//   all others  a general register of the guest each; those that are left stay in CpuState, which
//               costs little: processors rename memory that is addressed as Core's is
//   XMM0 to XMM15, YMM0 to YMM15  the guest's, once a block has needed one
//   (Core::Compiled::vectors)
//
// The interpreter's handlers have what they are given in R12 to R14, Core first.
#pragma once

#include "tier1/assembler.h"

#include <array>
#include <cstdint>

namespace backplane::jit {

constexpr Host core = rsp, budget = r12, flags_image = rax, scratch = r13, scratch2 = r14;

constexpr std::uint8_t in_memory = 0xff;

// By the guest's register.
constexpr std::array<std::uint8_t, 16> host_of{r15, rcx, rdx,       rbx,       r11,       rbp,
                                               rsi, rdi, r8,        in_memory, in_memory, in_memory,
                                               r9,  r10, in_memory, in_memory};

constexpr bool is_pinned(unsigned guest) { return host_of[guest] != in_memory; }
constexpr Host pinned(unsigned guest) { return static_cast<Host>(host_of[guest]); }

}  // namespace backplane::jit
