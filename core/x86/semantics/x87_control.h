// The control instructions of the x87 unit: words, environment, state, register tags (SDM 2).
#pragma once

#include "x86/any_alignment.h"
#include "x86/machine.h"
#include "x86/x87_environment.h"
#include "x86/x87_execution.h"

namespace backplane::x86::semantics {

template <auto body> inline constexpr auto x87_waiting =
    x87_control_instruction<X87Check::Waiting, body>;
template <auto body> inline constexpr auto x87_non_waiting =
    x87_control_instruction<X87Check::NonWaiting, body>;

inline constexpr auto fldcw = x87_waiting<[](auto& m, auto src) __attribute__((always_inline)) {
    const auto value = src.read(m);
    if (!value) return Outcome::Fault;
    m.state().x87.control = static_cast<std::uint16_t>((*value & x87_control::writable) |
                                                       x87_control::reserved_one);
    X87Stack{m.state()}.update_summary();
    return Outcome::Next;
}>;

inline constexpr auto fnstcw =
    x87_non_waiting<[](auto& m, auto dst) __attribute__((always_inline)) {
        return dst.write(m, m.state().x87.control) ? Outcome::Next : Outcome::Fault;
    }>;

inline constexpr auto fnstsw =
    x87_non_waiting<[](auto& m, auto dst) __attribute__((always_inline)) {
        return dst.write(m, m.state().x87.status) ? Outcome::Next : Outcome::Fault;
    }>;

inline constexpr auto fnclex = x87_non_waiting<[](auto& m) __attribute__((always_inline)) {
    m.state().x87.status &= x87_status::conditions | x87_status::top;
    m.state().ignore_numeric_error = false;
    return Outcome::Next;
}>;

// SDM 2, FINIT: registers keep their values and become empty.
inline void initialize_x87(X87State& x87) {
    x87.control = x87_control::power_on;
    x87.status = 0;
    x87.valid = 0;
    x87.last_opcode = 0;
    x87.last_instruction = 0;
    x87.last_data = 0;
    x87.last_instruction_selector = 0;
    x87.last_data_selector = 0;
}

inline constexpr auto fninit = x87_non_waiting<[](auto& m) __attribute__((always_inline)) {
    initialize_x87(m.state().x87);
    m.state().ignore_numeric_error = false;
    return Outcome::Next;
}>;

// FNOP is recorded as an instruction; FWAIT looks at CR0.MP with TS and not at EM (SDM 3A 2.5).
inline constexpr auto fnop =
    x87<[](auto&) __attribute__((always_inline)) { return Outcome::Next; }>;

inline constexpr auto fwait = [](auto& m) __attribute__((always_inline)) {
    constexpr std::uint64_t monitored = fp_control::cr0_mp | fp_control::cr0_ts;
    if ((m.state().cr0 & monitored) == monitored) return m.raise(Fault{Vector::DeviceNotAvailable});
    if (x87_error_pending(m.state())) return m.raise(Fault{Vector::FloatingPoint});
    return Outcome::Next;
};

inline constexpr auto ffree = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    stack.accept(0);
    stack.free(src.index(m));
    return Outcome::Next;
}>;

// FFREEP, undocumented by Intel, documented by AMD: compilers of the past emit it.
inline constexpr auto ffreep = x87<[](auto& m, auto src) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    stack.accept(0);
    stack.free(src.index(m));
    stack.pop();
    return Outcome::Next;
}>;

template <int step>
inline constexpr auto rotate_stack = x87<[](auto& m) __attribute__((always_inline)) {
    X87Stack stack{m.state()};
    stack.accept(0);
    stack.set_top(stack.top() + step);
    return Outcome::Next;
}>;
inline constexpr auto fincstp = rotate_stack<1>;
inline constexpr auto fdecstp = rotate_stack<7>;

inline bool uses_real_layout(const CpuState& state) {
    return !state.protected_mode() || (state.rflags & rflags::vm);
}

// The image is stored word by word; a page fault between two words leaves the processor's state as
// it was.
template <class Word, class M>
bool store_environment(M& m, std::uint64_t address) {
    const auto image = X87Environment<Word>::of(m.state().x87, x87_selectors(m),
                                                uses_real_layout(m.state()));
    for (const Word word : image.words) {
        if (!m.store(address, word)) return false;
        address += sizeof(Word);
    }
    return true;
}

template <class Word, class M>
std::optional<X87Environment<Word>> load_environment(M& m, std::uint64_t address) {
    X87Environment<Word> image;
    for (Word& word : image.words) {
        const auto value = m.template load<Word>(address);
        if (!value) return {};
        word = *value;
        address += sizeof(Word);
    }
    return image;
}

inline constexpr auto fnstenv =
    x87_non_waiting<[](auto& m, auto memory) __attribute__((always_inline)) {
        using Word = typename decltype(memory)::Value;
        if (!store_environment<Word>(m, memory.address(m))) return Outcome::Fault;
        m.state().x87.control |= x87_control::masks;
        X87Stack{m.state()}.update_summary();
        return Outcome::Next;
    }>;

inline constexpr auto fldenv = x87_waiting<[](auto& m, auto memory) __attribute__((always_inline)) {
    using Word = typename decltype(memory)::Value;
    const auto image = load_environment<Word>(m, memory.address(m));
    if (!image) return Outcome::Fault;
    image->load_into(m.state().x87, uses_real_layout(m.state()));
    X87Stack{m.state()}.update_summary();
    return Outcome::Next;
}>;

// The environment, then the registers from ST(0) on, ten bytes each.
inline constexpr auto fnsave =
    x87_non_waiting<[](auto& m, auto memory) __attribute__((always_inline)) {
        using Word = typename decltype(memory)::Value;
        std::uint64_t address = memory.address(m);
        if (!store_environment<Word>(m, address)) return Outcome::Fault;
        address += sizeof(X87Environment<Word>);
        X87Stack stack{m.state()};
        for (unsigned i = 0; i < 8; ++i, address += sizeof(Real80))
            if (!store_at_any_alignment(m, address, to_real80(stack.st(i)))) return Outcome::Fault;
        initialize_x87(m.state().x87);
        return Outcome::Next;
    }>;

inline constexpr auto frstor = x87_waiting<[](auto& m, auto memory) __attribute__((always_inline)) {
    using Word = typename decltype(memory)::Value;
    std::uint64_t address = memory.address(m);
    const auto image = load_environment<Word>(m, address);
    if (!image) return Outcome::Fault;
    address += sizeof(X87Environment<Word>);
    std::array<Float80, 8> values;
    for (Float80& value : values) {
        const auto loaded = load_at_any_alignment<Real80>(m, address);
        if (!loaded) return Outcome::Fault;
        value = to_float80(*loaded);
        address += sizeof(Real80);
    }
    image->load_into(m.state().x87, uses_real_layout(m.state()));
    X87Stack stack{m.state()};
    for (unsigned i = 0; i < 8; ++i)
        stack.st(i) = values[i];
    stack.update_summary();
    return Outcome::Next;
}>;

}  // namespace backplane::x86::semantics
