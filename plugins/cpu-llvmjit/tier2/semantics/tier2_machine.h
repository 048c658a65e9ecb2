// The Machine that semantics see in tier 2: guest registers in a structure that becomes values in
// the host's registers, and accesses that are plain hits in the first-level TLB. All else makes the
// instruction fail without effect, and the interpreter executes it.
#pragma once

#include "interp/core.h"
#include "interp/interpreter_machine.h"
#include "x86/machine.h"
#include "x86/sse_execution.h"

#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace backplane::jit::tier2 {

// Not defined anywhere: a form that calls it is not covered.
extern "C" [[noreturn]] void backplane_tier2_not_covered();

class Tier2Machine {
public:
    BACKPLANE_INLINE Tier2Machine(x86::CpuState& state, const x86::FastPages* pages,
                                  const x86::Op& op)
        : state_{state}, pages_{pages}, op_{op} {}

    BACKPLANE_INLINE x86::CpuState& state() { return state_; }
    BACKPLANE_INLINE x86::LazyFlags& flags() { return state_.flags; }
    BACKPLANE_INLINE const x86::Op& op() const { return op_; }

    BACKPLANE_INLINE x86::SystemServices& system() { backplane_tier2_not_covered(); }

    template <class T>
    BACKPLANE_INLINE std::optional<T> load(std::uint64_t linear) {
        const x86::FastPage page = (*pages_)[x86::fast_index(linear)];
        if (last_page<T>(linear) != page.read_tag) [[unlikely]]
            return std::nullopt;
        T value;
        std::memcpy(&value, host(linear, page), sizeof value);
        return value;
    }

    template <class T>
    BACKPLANE_INLINE bool store(std::uint64_t linear, T value) {
        const x86::FastPage page = (*pages_)[x86::fast_index(linear)];
        if (last_page<T>(linear) != page.write_tag) [[unlikely]]
            return false;
        std::memcpy(host(linear, page), &value, sizeof value);
        return true;
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update(std::uint64_t linear, F f) {
        const x86::FastPage page = (*pages_)[x86::fast_index(linear)];
        if (last_page<T>(linear) != page.write_tag) [[unlikely]]
            return std::nullopt;
        T before;
        std::memcpy(&before, host(linear, page), sizeof before);
        const T after = f(before);
        std::memcpy(host(linear, page), &after, sizeof after);
        return before;
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_atomically(std::uint64_t linear, F f) {
        using Bits = typename interp::UnsignedOf<sizeof(T)>::Type;
        const x86::FastPage page = (*pages_)[x86::fast_index(linear)];
        if (last_page<T>(linear) != page.write_tag) [[unlikely]]
            return std::nullopt;
        auto* place = static_cast<Bits*>(host(linear, page));
        Bits before;
        std::memcpy(&before, place, sizeof before);
        for (;;) {
            const T old = std::bit_cast<T>(before);
            const T wanted = f(old);
            const Bits seen = __sync_val_compare_and_swap(place, before,
                                                          std::bit_cast<Bits>(wanted));
            if (seen == before) return old;
            before = seen;
        }
    }

    // With other privileges than those of the code: never here.
    template <class T>
    BACKPLANE_INLINE std::optional<T> load_system(std::uint64_t) {
        return std::nullopt;
    }
    template <class T>
    BACKPLANE_INLINE bool store_system(std::uint64_t, T) {
        return false;
    }
    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_system_atomically(std::uint64_t, F) {
        return std::nullopt;
    }

    template <class T>
    BACKPLANE_INLINE T in(std::uint16_t) {
        backplane_tier2_not_covered();
    }
    template <class T>
    BACKPLANE_INLINE void out(std::uint16_t, T) {
        backplane_tier2_not_covered();
    }

    BACKPLANE_INLINE std::span<std::byte> direct_span(std::uint64_t, x86::SegmentAccess) {
        backplane_tier2_not_covered();
    }
    BACKPLANE_INLINE bool should_yield() const { backplane_tier2_not_covered(); }
    BACKPLANE_INLINE void count_rep_iterations(std::uint64_t) { backplane_tier2_not_covered(); }

    // The interpreter raises it once more.
    BACKPLANE_INLINE x86::Outcome raise(x86::Fault) { return x86::Outcome::Fault; }
    BACKPLANE_INLINE std::uint64_t unreachable() { return interp::unreachable_address; }

    BACKPLANE_INLINE std::uint64_t next_ip() const {
        return state_.block_ip + op_.offset + op_.length;
    }
    BACKPLANE_INLINE x86::Outcome jump(std::uint64_t ip) {
        target_ = ip;
        return x86::Outcome::Jump;
    }
    BACKPLANE_INLINE void restart_at(std::uint64_t) { backplane_tier2_not_covered(); }

    BACKPLANE_INLINE std::uint64_t target() const { return target_; }

private:
    template <class T>
    static BACKPLANE_INLINE std::uint64_t last_page(std::uint64_t linear) {
        return (linear + (sizeof(T) - 1)) & ~x86::page_offset_mask;
    }

    static BACKPLANE_INLINE void* host(std::uint64_t linear, const x86::FastPage& page) {
        return reinterpret_cast<void*>(linear + page.addend);
    }

    x86::CpuState& state_;
    const x86::FastPages* pages_;
    const x86::Op& op_;
    std::uint64_t target_ = 0;
};

static_assert(x86::Machine<Tier2Machine>);

// Floating point with unmasked exceptions is the interpreter's.
template <x86::host::Tiny tiny, class Compute, class Inexact>
BACKPLANE_INLINE auto execute_sse_checked(Tier2Machine&, Compute compute, Inexact)
    -> std::optional<decltype(compute())> {
    return std::nullopt;
}

}  // namespace backplane::jit::tier2
