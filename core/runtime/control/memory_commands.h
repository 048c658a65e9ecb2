// Commands that look into guest memory and at the buses.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command read_memory_command;
extern const Command write_memory_command;
extern const Command read_bus_command;
extern const Command write_bus_command;
extern const Command list_windows_command;

}  // namespace backplane::runtime::control
