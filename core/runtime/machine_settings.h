// What the machine file's `machine:` section says.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"
#include "runtime/machine_file.h"

#include <optional>

namespace backplane::runtime {

// Fills in name, description, clock, frequency and log level.
void read_machine_settings(const MachineDocument& document, MachineDescription& machine,
                           Diagnostics& diagnostics);

// The value of a `log` key; reported when it is no level.
[[nodiscard]] std::optional<std::uint32_t>
read_log_level(const YamlNode& node, const std::string& subject, Diagnostics& diagnostics);
[[nodiscard]] const char* log_level_text(std::uint32_t level);
[[nodiscard]] const char* clock_text(ClockMode clock);

}  // namespace backplane::runtime
