// A text about the compilers for people, or why there is none.
#pragma once

#include <expected>
#include <string>

namespace backplane::jit {

using Report = std::expected<std::string, std::string>;

}  // namespace backplane::jit
