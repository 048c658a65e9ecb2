#include "observers/code_symbol.h"

#include <array>
#include <cstdio>

namespace backplane::jit {

std::string code_symbol(const InstalledCode& code) {
    std::array<char, 80> name;
    std::snprintf(name.data(), name.size(), "guest_%llx_at_%llx_tier%u",
                  static_cast<unsigned long long>(code.linear),
                  static_cast<unsigned long long>(code.physical), code.tier);
    return name.data();
}

}  // namespace backplane::jit
