// Commands about the devices of the machine: what there is, and what is in it.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command list_devices_command;
extern const Command inspect_device_command;
extern const Command statistics_command;

}  // namespace backplane::runtime::control
