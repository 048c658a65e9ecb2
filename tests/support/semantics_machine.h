// A Machine with flat memory and no engine, on which tests execute single instructions through the
// form tables.
#pragma once

#include "x86/decoder.h"
#include "x86/forms.h"
#include "x86/forms/operands.h"
#include "x86/machine.h"
#include "x86/system_services.h"

#include <cstddef>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

namespace backplane::x86::testing {

// Memory is `bytes`, seen by the guest from linear address `base` on; everything else is a page
// fault. A test that compares with the processor under it gives memory that lies at the same
// address for both.
class SemanticsMachine {
public:
    SemanticsMachine(std::uint64_t base, std::span<std::byte> bytes) : base_(base), bytes_(bytes) {}

    // What semantics use.
    CpuState& state() { return state_; }
    LazyFlags& flags() { return state_.flags; }
    const Op& op() const { return op_; }

    template <class T>
    std::optional<T> load(std::uint64_t linear) {
        if (!reachable(linear, sizeof(T), 0)) return std::nullopt;
        T value;
        std::memcpy(&value, at(linear), sizeof value);
        return value;
    }

    template <class T>
    bool store(std::uint64_t linear, T value) {
        if (!reachable(linear, sizeof(T), 2)) return false;
        std::memcpy(at(linear), &value, sizeof value);
        return true;
    }

    template <class T, class F>
    std::optional<T> update(std::uint64_t linear, F f) {
        if (!reachable(linear, sizeof(T), 2)) return std::nullopt;
        const T before = *load<T>(linear);
        store<T>(linear, f(before));
        return before;
    }

    template <class T, class F>
    std::optional<T> update_atomically(std::uint64_t linear, F f) {
        ++locked_updates;
        return update<T>(linear, f);
    }

    template <class T>
    std::optional<T> load_system(std::uint64_t linear) {
        return load<T>(linear);
    }
    template <class T>
    bool store_system(std::uint64_t linear, T value) {
        return store(linear, value);
    }
    template <class T, class F>
    std::optional<T> update_system_atomically(std::uint64_t linear, F f) {
        return update_atomically<T>(linear, f);
    }

    // Plain memory to the end of the page; empty when a test took that away with `forbid_spans`.
    std::span<std::byte> direct_span(std::uint64_t linear, SegmentAccess access) {
        const std::uint64_t room = 4096 - (linear & 4095);
        if (forbid_spans || linear < base_ || linear - base_ >= bytes_.size()) return {};
        if (access == SegmentAccess::Write && read_only.contains(linear >> 12)) return {};
        if (absent.contains(linear >> 12)) return {};
        return bytes_.subspan(linear - base_,
                              std::min<std::uint64_t>(room, bytes_.size() - (linear - base_)));
    }

    bool should_yield() { return yields_after && --yields_after == 0; }
    void count_rep_iterations(std::uint64_t count) { rep_iterations += count; }

    template <class T>
    T in(std::uint16_t port) {
        return static_cast<T>(ports[port]);
    }
    template <class T>
    void out(std::uint16_t port, T value) {
        ports[port] = value;
    }

    Outcome raise(Fault fault) {
        raised = fault;
        return Outcome::Fault;
    }
    std::uint64_t unreachable() {
        unreachable_fault_ = raised;
        return unreachable_address;
    }
    void restart_at(std::uint64_t ip) {
        state_.block_ip = ip - op_.offset;
        restarted_at = ip;
    }
    std::uint64_t next_ip() { return state_.block_ip + op_.offset + op_.length; }
    Outcome jump(std::uint64_t ip) {
        state_.rip = ip;
        return Outcome::Jump;
    }
    SystemServices& system() { return *services; }

    // What tests set and look at.
    std::optional<Fault> raised;
    std::set<std::uint64_t> read_only, absent;  // page numbers
    bool forbid_spans = false;
    std::uint64_t yields_after = 0;  // how many questions until should_yield says yes; 0 = never
    std::uint64_t rep_iterations = 0, locked_updates = 0;
    std::map<std::uint16_t, std::uint32_t> ports;
    SystemServices* services = nullptr;
    std::optional<std::uint64_t> restarted_at;  // by a task switch

    void set_op(const Op& op) { op_ = op; }
    std::byte* at(std::uint64_t linear) { return bytes_.data() + (linear - base_); }

private:
    // Beyond any address of 48 bits.
    static constexpr std::uint64_t unreachable_address = std::uint64_t{1} << 62;

    bool reachable(std::uint64_t linear, std::size_t size, std::uint32_t write) {
        if (linear >= unreachable_address && linear - unreachable_address < 4096) {
            raised = unreachable_fault_;
            return false;
        }
        for (const std::uint64_t address : {linear, linear + size - 1}) {
            const bool mapped = address >= base_ && address - base_ < bytes_.size() &&
                                !absent.contains(address >> 12);
            if (mapped && !(write && read_only.contains(address >> 12))) continue;
            raise({.vector = Vector::PageFault,
                   .error_code = write | (mapped ? 1u : 0u),
                   .address = address});
            return false;
        }
        return true;
    }

    CpuState state_;
    Op op_;
    std::optional<Fault> unreachable_fault_;
    std::uint64_t base_;
    std::span<std::byte> bytes_;
};

// Form tables bound for this machine: a handler is a plain function.
struct SemanticsEngine {
    using Handler = Outcome (*)(SemanticsMachine&);

    template <auto semantic, class... Operands>
    static Handler handler() {
        return [](SemanticsMachine& m) -> Outcome { return semantic(m, Operands{}...); };
    }
};

// Runs `instruction`, whose block starts at state().block_ip; sets state().rip as an engine would.
// Empty: no such form.
inline std::optional<Outcome> execute(SemanticsMachine& m, const FormTable<SemanticsEngine>& table,
                                      Instruction instruction) {
    instruction.block_ip = instruction.ip;
    m.state().block_ip = instruction.ip;
    m.raised.reset();
    Op address, op;
    const auto form_address = forms::bind_address<SemanticsEngine>(instruction, address);
    const auto handler = table.bind(instruction, op);
    if (!handler) return std::nullopt;
    m.state().rip = instruction.ip;
    if (form_address) {
        m.set_op(address);
        if (const Outcome outcome = form_address(m); outcome != Outcome::Next) return outcome;
    }
    m.set_op(op);
    const Outcome outcome = handler(m);
    if (outcome == Outcome::Next || outcome == Outcome::Leave)
        m.state().rip = instruction.next_ip();
    return outcome;
}

}  // namespace backplane::x86::testing
