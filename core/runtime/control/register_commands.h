// Commands about the registers of CPUs.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command read_registers_command;
extern const Command write_register_command;

}  // namespace backplane::runtime::control
