// The interpreter as the forms tables see it: which handler executes a semantic with given operand
// kinds.
#pragma once

#include "interp/block.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace backplane::interp {

// What the block builder knows of an op in its place, where it makes the work less.
namespace knows {
constexpr std::uint8_t no_index = 1;      // no index register in the address
constexpr std::uint8_t flags_unread = 2;  // the flags it leaves are replaced before anybody looks
// The register is the one whose value is in `last`.
constexpr std::uint8_t reg_is_last = 4;     // Op::reg
constexpr std::uint8_t rm_is_last = 8;      // Op::rm
constexpr std::uint8_t stack_is_last = 16;  // RSP
}  // namespace knows

// The register whose value an op leaves in `last`, if it writes it as a whole.
enum class Left : std::uint8_t { None, Reg, StackPointer };

// One function that executes an op, if everything that it relies on is known.
struct Variant {
    HandlerFunction function;
    std::uint8_t relies_on;
    Left leaves;
};

// The functions that execute an instruction, the most particular ones first. The last relies on
// nothing.
class Handler {
public:
    constexpr Handler() = default;
    constexpr Handler(std::nullptr_t) {}
    constexpr Handler(std::span<const Variant> variants) : variants_{variants} {}

    constexpr explicit operator bool() const { return !variants_.empty(); }

    const Variant& choose(std::uint8_t known) const {
        const auto fits = [&](const Variant& variant) { return !(variant.relies_on & ~known); };
        return *std::ranges::find_if(variants_, fits);
    }

private:
    std::span<const Variant> variants_;
};

// `handler` is defined in handlers.h, which only the files that fill the tables include.
struct InterpreterEngine {
    using Handler = interp::Handler;

    template <auto semantic, class... Operands>
    static Handler handler();
};

}  // namespace backplane::interp
