// The options with which commands that run a machine change it: -p, and shorthand for settings of
// the shipped machines (--kernel is -p boot0.kernel=…).
#pragma once

#include "cli/command.h"
#include "runtime/overrides.h"

#include <expected>
#include <string>
#include <vector>

namespace backplane::cli {

// The machine file too, as the positional argument `machine`.
void declare_guest_options(CommandOptions& options);
// The error is a message for the user.
[[nodiscard]] std::expected<std::vector<runtime::Override>, std::string>
guest_overrides(const Arguments& arguments);

// "512M", "2G", "1024" (MiB) as QEMU takes them -> ram0.size.
[[nodiscard]] std::expected<runtime::Override, std::string>
memory_override(const std::string& argument);

// stdio, file:F, pty, unix:PATH, tcp:PORT, none -> the device `console`, which the serial port is
// connected to.
[[nodiscard]] std::expected<std::vector<runtime::Override>, std::string>
serial_overrides(const std::string& argument);

}  // namespace backplane::cli
