// The options by which `run` opens control sockets.
#pragma once

#include "cli/command.h"
#include "runtime/control/server.h"

#include <expected>
#include <memory>
#include <string>

namespace backplane::cli {

void declare_control_options(CommandOptions& options);

// Listens where --control says, and says on standard error which port was picked; null when there
// is no --control. The error is a message for the user.
[[nodiscard]] std::expected<std::unique_ptr<runtime::control::Server>, std::string>
open_control(const Arguments& arguments, runtime::Machine& machine,
             const runtime::MachineDescription& description);

}  // namespace backplane::cli
