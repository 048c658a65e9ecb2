// The interpreter as the forms tables see it: which handler executes a semantic with given operand
// kinds.
#pragma once

#include "block.h"

#include <cstddef>

namespace backplane::interp {

// A handler for any op, and one for ops whose memory operand has no index register (null when there
// is no such handler).
struct Handler {
    HandlerFunction any = nullptr;
    HandlerFunction without_index = nullptr;

    constexpr Handler() = default;
    constexpr Handler(std::nullptr_t) {}
    constexpr Handler(HandlerFunction function) : any{function} {}
    constexpr Handler(HandlerFunction function, HandlerFunction simple)
        : any{function}, without_index{simple} {}

    constexpr explicit operator bool() const { return any != nullptr; }
    friend constexpr bool operator==(const Handler&, const Handler&) = default;
};

// `handler` is defined in handlers.h, which only the files that fill the tables include.
struct InterpreterEngine {
    using Handler = interp::Handler;

    template <auto semantic, class... Operands>
    static Handler handler();
};

}  // namespace backplane::interp
