// Turns a number known when an instruction executes into a template argument: host instructions
// have their control bytes in the code.
#pragma once

#include <utility>

namespace backplane::x86 {

// f.operator()<value>(arguments...), for a value below `limit`. What an assembly statement needs
// goes through the arguments: it does not count as use of a captured variable.
template <unsigned limit, class F, class... Arguments>
[[gnu::always_inline]] inline void with_constant(unsigned value, F f, Arguments&... arguments) {
    [&]<unsigned... i>(std::integer_sequence<unsigned, i...>) {
        (void)((value == i && (f.template operator()<i>(arguments...), true)) || ...);
    }(std::make_integer_sequence<unsigned, limit>{});
}

}  // namespace backplane::x86
