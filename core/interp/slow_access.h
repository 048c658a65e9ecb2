// What handlers call when an access is not a plain hit in the first-level TLB: page walks,
// page-crossing accesses, devices, pages with code.
#pragma once

#include "interp/core.h"
#include "x86/segmented_address.h"

#include <cstddef>
#include <cstdint>
#include <span>

// A call the compiler does not see: a handler with a visible call in it needs a stack frame on its
// fast path too. The callee keeps every general register but RAX and R11 (preserve_most) and aligns
// the stack itself (slow_access.cpp). The 128 bytes step over the red zone of the handler (System V
// ABI 3.2.2).
#define BACKPLANE_HIDDEN_CALL(function)                                                            \
    "leaq -128(%%rsp), %%rsp\n\tcall " function "\n\tleaq 128(%%rsp), %%rsp"
#define BACKPLANE_HIDDEN_CALL_CLOBBERS                                                             \
    "r11", "memory", "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
        "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15"

#define BACKPLANE_INLINE __attribute__((always_inline)) inline

namespace backplane::interp {

#define BACKPLANE_SLOW_ACCESS(name)                                                                \
    BACKPLANE_INLINE std::uint64_t name(Core* cpu, const Op* op, std::uint64_t linear,             \
                                        std::uint64_t size, const x86::FastPages* pages) {         \
        std::uint64_t result;                                                                      \
        register const x86::FastPages* fifth asm("r8") = pages;                                    \
        asm volatile(BACKPLANE_HIDDEN_CALL("backplane_interp_" #name)                              \
                     : "=a"(result)                                                                \
                     : "D"(cpu), "S"(op), "d"(linear), "c"(size), "r"(fifth)                       \
                     : BACKPLANE_HIDDEN_CALL_CLOBBERS);                                            \
        return result;                                                                             \
    }

// Data goes through Core::transfer. Zero: a page fault is raised, and nothing was written.
BACKPLANE_SLOW_ACCESS(load_slow)
BACKPLANE_SLOW_ACCESS(store_slow)
// As load_slow, but the address must be writable too: the read of a read-modify-write.
BACKPLANE_SLOW_ACCESS(load_for_update_slow)
// Host address for an atomic update within one page. Zero: a fault is raised, or this is not plain
// memory.
BACKPLANE_SLOW_ACCESS(host_for_update_slow)

#undef BACKPLANE_SLOW_ACCESS

BACKPLANE_INLINE void raise_slow(Core* cpu, std::uint64_t vector, std::uint64_t error_code,
                                 std::uint64_t address) {
    asm volatile(BACKPLANE_HIDDEN_CALL("backplane_interp_raise_slow")
                 :
                 : "D"(cpu), "S"(vector), "d"(error_code), "c"(address)
                 : "rax", BACKPLANE_HIDDEN_CALL_CLOBBERS);
}

// Between the two no other processor executes anything, and no device acts.
#define BACKPLANE_EXCLUSIVE(name)                                                                  \
    BACKPLANE_INLINE void name(Core* cpu) {                                                        \
        asm volatile(BACKPLANE_HIDDEN_CALL("backplane_interp_" #name)                              \
                     :                                                                             \
                     : "D"(cpu)                                                                    \
                     : "rax", BACKPLANE_HIDDEN_CALL_CLOBBERS);                                     \
    }

BACKPLANE_EXCLUSIVE(begin_exclusive_slow)
BACKPLANE_EXCLUSIVE(end_exclusive_slow)

#undef BACKPLANE_EXCLUSIVE

[[gnu::cold, gnu::noinline]] std::uint32_t read_port_slow(Core* cpu, const Op* op,
                                                          std::uint32_t port, std::uint32_t size);
[[gnu::cold, gnu::noinline]] void write_port_slow(Core* cpu, const Op* op, std::uint32_t port,
                                                  std::uint32_t size, std::uint32_t value);

// As many of the accesses as the device makes at once.
[[gnu::cold, gnu::noinline]] std::uint32_t read_port_many_slow(Core* cpu, const Op* op,
                                                               std::uint32_t port,
                                                               std::uint32_t size,
                                                               std::span<std::byte> data);
[[gnu::cold, gnu::noinline]] std::uint32_t write_port_many_slow(Core* cpu, const Op* op,
                                                                std::uint32_t port,
                                                                std::uint32_t size,
                                                                std::span<const std::byte> data);

// Host bytes from `linear` to the end of its page at most; empty when they are not plain memory, or
// not accessible.
std::span<std::byte> direct_span_slow(Core* cpu, std::uint64_t linear, x86::SegmentAccess access);

}  // namespace backplane::interp
