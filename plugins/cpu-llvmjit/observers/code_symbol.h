// What tools of the host call compiled code.
#pragma once

#include "code_watcher.h"

#include <string>

namespace backplane::jit {

// guest_LINEAR_at_PHYSICAL_tierN, with the guest's addresses in hexadecimal.
std::string code_symbol(const InstalledCode& code);

// What goes behind it for the part that is executed rarely.
constexpr const char* cold_suffix = "_cold";

}  // namespace backplane::jit
