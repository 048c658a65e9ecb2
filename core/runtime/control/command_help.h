// The declared commands as text, for people: `backplane ctl --help` and docs/control.md.
#pragma once

#include "runtime/control/command.h"

#include <string>

namespace backplane::runtime::control {

// "read-memory ADDRESS [LENGTH] [VIEW] [CPU]"
[[nodiscard]] std::string usage(const Command& command);
// A line for each command.
[[nodiscard]] std::string command_table();
// All about one command: arguments, what comes back.
[[nodiscard]] std::string command_help(const Command& command);
// The reference in docs/control.md, from its first command on.
[[nodiscard]] std::string command_reference();

}  // namespace backplane::runtime::control
