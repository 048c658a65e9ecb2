// Commands by which a client types and points.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command send_key_command;
extern const Command type_command;
extern const Command move_pointer_command;
extern const Command place_pointer_command;
extern const Command press_button_command;

}  // namespace backplane::runtime::control
