// Commands about the run as a whole: whether it goes on, and how it ends.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command status_command;
extern const Command stop_command;
extern const Command cont_command;
extern const Command reset_command;
extern const Command power_button_command;
extern const Command quit_command;

}  // namespace backplane::runtime::control
