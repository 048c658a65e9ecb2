// The command by which a client learns what the others are.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command query_schema_command;

}  // namespace backplane::runtime::control
