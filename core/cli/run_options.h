// The options of `run` that are shorthand for settings of the shipped machines: --kernel is -p
// boot0.kernel=….
#pragma once

#include "runtime/overrides.h"

#include <expected>
#include <string>
#include <vector>

namespace backplane::cli {

// "512M", "2G", "1024" (MiB) as QEMU takes them -> ram0.size.
[[nodiscard]] std::expected<runtime::Override, std::string>
memory_override(const std::string& argument);

// stdio, file:F, pty, unix:PATH, tcp:PORT, none -> the device `console`, which the serial port is
// connected to.
[[nodiscard]] std::expected<std::vector<runtime::Override>, std::string>
serial_overrides(const std::string& argument);

}  // namespace backplane::cli
