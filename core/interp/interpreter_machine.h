// The Machine that semantics see when the interpreter executes them; made for one op, and gone
// after inlining.
#pragma once

#include "interp/core.h"
#include "interp/slow_access.h"
#include "x86/machine.h"

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>

namespace backplane::interp {

template <std::size_t bytes>
struct UnsignedOf;
template <> struct UnsignedOf<1> {
    using Type = std::uint8_t;
};
template <> struct UnsignedOf<2> {
    using Type = std::uint16_t;
};
template <> struct UnsignedOf<4> {
    using Type = std::uint32_t;
};
template <> struct UnsignedOf<8> {
    using Type = std::uint64_t;
};
template <> struct UnsignedOf<16> {
    using Type = unsigned __int128;
};

// Loads and stores are plain ones of the host, which is an x86 processor itself: what one processor
// of the guest sees of another is what the host's order allows (SDM 3A 9.2.2), no more and no less.
// A handler makes its accesses in the order of its semantic and is not mixed with its neighbours,
// so that the compiler adds nothing to that; fences and locked instructions are the host's.
class InterpreterMachine {
public:
    BACKPLANE_INLINE InterpreterMachine(Core& cpu, const Op& op, const x86::FastPages* pages,
                                        std::uint64_t last = 0)
        : cpu_{cpu}, op_{op}, pages_{pages}, last_{last}, left_{last} {}

    BACKPLANE_INLINE x86::CpuState& state() { return cpu_.state; }
    BACKPLANE_INLINE x86::LazyFlags& flags() { return cpu_.state.flags; }
    BACKPLANE_INLINE const Op& op() const { return op_; }

    // The op is noted, so that time asked for inside a service is exact to the instruction.
    BACKPLANE_INLINE x86::SystemServices& system() {
        cpu_.access_op = &op_;
        return *cpu_.services;
    }

    template <class T>
    BACKPLANE_INLINE std::optional<T> load(std::uint64_t linear) {
        return load_through<T>(linear, pages_);
    }

    template <class T>
    BACKPLANE_INLINE bool store(std::uint64_t linear, T value) {
        return store_through(linear, value, pages_);
    }

    template <class T>
    BACKPLANE_INLINE std::optional<T> load_system(std::uint64_t linear) {
        return load_through<T>(linear, cpu_.pages(View::Supervisor));
    }

    template <class T>
    BACKPLANE_INLINE bool store_system(std::uint64_t linear, T value) {
        return store_through(linear, value, cpu_.pages(View::Supervisor));
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update(std::uint64_t linear, F f) {
        return update_through<T>(linear, f, pages_);
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_atomically(std::uint64_t linear, F f) {
        return update_atomically_through<T>(linear, f, pages_);
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_system_atomically(std::uint64_t linear, F f) {
        return update_atomically_through<T>(linear, f, cpu_.pages(View::Supervisor));
    }

    template <class T>
    BACKPLANE_INLINE T in(std::uint16_t port) {
        return static_cast<T>(read_port_slow(&cpu_, &op_, port, sizeof(T)));
    }

    template <class T>
    BACKPLANE_INLINE void out(std::uint16_t port, T value) {
        write_port_slow(&cpu_, &op_, port, sizeof(T), static_cast<std::uint32_t>(value));
    }

    std::uint32_t in_many(std::uint16_t port, unsigned size, std::span<std::byte> data) {
        return read_port_many_slow(&cpu_, &op_, port, size, data);
    }

    std::uint32_t out_many(std::uint16_t port, unsigned size, std::span<const std::byte> data) {
        return write_port_many_slow(&cpu_, &op_, port, size, data);
    }

    BACKPLANE_INLINE x86::Outcome raise(x86::Fault fault) {
        raise_slow(&cpu_, static_cast<std::uint64_t>(fault.vector), fault.error_code,
                   fault.address);
        return x86::Outcome::Fault;
    }

    BACKPLANE_INLINE std::uint64_t unreachable() {
        cpu_.unreachable_fault = cpu_.fault;
        return unreachable_address;
    }

    BACKPLANE_INLINE std::uint64_t next_ip() const {
        return cpu_.state.block_ip + op_.offset + op_.length;
    }

    BACKPLANE_INLINE x86::Outcome jump(std::uint64_t ip) {
        target_ = ip;
        jumped_ = true;
        return x86::Outcome::Jump;
    }

    BACKPLANE_INLINE void restart_at(std::uint64_t ip) {
        cpu_.state.block_ip = ip - op_.offset;
        restarted_ = true;
    }

    // Bulk access for REP: the bytes from `linear` on that can be reached directly, within its
    // page; may be empty.
    std::span<std::byte> direct_span(std::uint64_t linear, x86::SegmentAccess access) {
        return direct_span_slow(&cpu_, linear, access);
    }

    // True once something else wants to happen: a REP returns Outcome::Again at the next element.
    BACKPLANE_INLINE bool should_yield() const {
        return cpu_.budget.load(std::memory_order_relaxed) < 0;
    }

    BACKPLANE_INLINE void count_rep_iterations(std::uint64_t n) { cpu_.rep_iterations += n; }

    // What delivery of exceptions needs beyond Machine (interrupt_delivery.h).
    BACKPLANE_INLINE x86::Fault take_fault() { return cpu_.fault; }
    std::uint64_t fault_ip(std::uint64_t ip) const {
        return restarted_ ? cpu_.state.block_ip + op_.offset : ip;
    }

    // For the engine.
    BACKPLANE_INLINE std::uint64_t target() const { return target_; }
    BACKPLANE_INLINE bool jumped() const { return jumped_; }
    // The value of the register that an op before has left, and what this op leaves (variants.h).
    BACKPLANE_INLINE std::uint64_t last() const { return last_; }
    BACKPLANE_INLINE std::uint64_t left() const { return left_; }
    BACKPLANE_INLINE void leave(std::uint64_t value) { left_ = value; }

private:
    template <class T>
    static BACKPLANE_INLINE std::uint64_t last_page(std::uint64_t linear) {
        return (linear + (sizeof(T) - 1)) & ~x86::page_offset_mask;
    }

    static BACKPLANE_INLINE void* host(std::uint64_t linear, const x86::FastPage& page) {
        return reinterpret_cast<void*>(linear + page.addend);
    }

    template <class T>
    BACKPLANE_INLINE std::optional<T> load_through(std::uint64_t linear,
                                                   const x86::FastPages* pages) {
        const x86::FastPage page = (*pages)[x86::fast_index(linear)];
        T value;
        if (last_page<T>(linear) == page.read_tag) [[likely]] {
            std::memcpy(&value, host(linear, page), sizeof value);
            return value;
        }
        if (!load_slow(&cpu_, &op_, linear, sizeof(T), pages)) return std::nullopt;
        std::memcpy(&value, cpu_.transfer.data(), sizeof value);
        return value;
    }

    template <class T>
    BACKPLANE_INLINE bool store_through(std::uint64_t linear, T value,
                                        const x86::FastPages* pages) {
        const x86::FastPage page = (*pages)[x86::fast_index(linear)];
        if (last_page<T>(linear) == page.write_tag) [[likely]] {
            std::memcpy(host(linear, page), &value, sizeof value);
            return true;
        }
        std::memcpy(cpu_.transfer.data(), &value, sizeof value);
        return store_slow(&cpu_, &op_, linear, sizeof(T), pages);
    }

    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_through(std::uint64_t linear, F f,
                                                     const x86::FastPages* pages) {
        const x86::FastPage page = (*pages)[x86::fast_index(linear)];
        if (last_page<T>(linear) == page.write_tag) [[likely]] {
            T before;
            std::memcpy(&before, host(linear, page), sizeof before);
            const T after = f(before);
            std::memcpy(host(linear, page), &after, sizeof after);
            return before;
        }
        if (!load_for_update_slow(&cpu_, &op_, linear, sizeof(T), pages)) return std::nullopt;
        T before;
        std::memcpy(&before, cpu_.transfer.data(), sizeof before);
        const T after = f(before);
        std::memcpy(cpu_.transfer.data(), &after, sizeof after);
        store_slow(&cpu_, &op_, linear, sizeof(T),
                   pages);  // cannot fail: the address was checked for writing
        return before;
    }

    // Plain memory within a page is left to the host's own atomic instructions, however it is
    // aligned: a host processor splits no locked access (SDM 3A 9.1.2.2). Two pages need not be
    // neighbours in the host, a device has no such instruction, and decoded code has to be dropped:
    // for these the other processors are stopped.
    template <class T, class F>
    BACKPLANE_INLINE std::optional<T> update_atomically_through(std::uint64_t linear, F f,
                                                                const x86::FastPages* pages) {
        using Bits = typename UnsignedOf<sizeof(T)>::Type;
        const x86::FastPage page = (*pages)[x86::fast_index(linear)];
        void* place = host(linear, page);
        if (last_page<T>(linear) != page.write_tag) [[unlikely]] {
            cpu_.fault_raised = false;
            place = reinterpret_cast<void*>(
                host_for_update_slow(&cpu_, &op_, linear, sizeof(T), pages));
            if (!place) {
                if (cpu_.fault_raised) return std::nullopt;
                begin_exclusive_slow(&cpu_);
                const std::optional<T> old = update_through<T>(linear, f, pages);
                end_exclusive_slow(&cpu_);
                return old;
            }
        }
        Bits before;
        std::memcpy(&before, place, sizeof before);
        for (;;) {
            const T old = std::bit_cast<T>(before);
            const T wanted = f(old);
            const Bits seen = __sync_val_compare_and_swap(static_cast<Bits*>(place), before,
                                                          std::bit_cast<Bits>(wanted));
            if (seen == before) return old;
            before = seen;
        }
    }

    Core& cpu_;
    const Op& op_;
    const x86::FastPages* pages_;
    std::uint64_t last_, left_, target_ = 0;
    bool jumped_ = false, restarted_ = false;
};

// The machine of an op whose flags nobody reads: a compiler drops the stores.
class FlaglessMachine : public InterpreterMachine {
public:
    BACKPLANE_INLINE FlaglessMachine(Core& cpu, const Op& op, const x86::FastPages* pages,
                                     std::uint64_t last)
        : InterpreterMachine{cpu, op, pages, last}, flags_{cpu.state.flags} {}

    BACKPLANE_INLINE x86::LazyFlags& flags() { return flags_; }

private:
    x86::LazyFlags flags_;
};

static_assert(x86::Machine<InterpreterMachine> && x86::Machine<FlaglessMachine>);

}  // namespace backplane::interp
