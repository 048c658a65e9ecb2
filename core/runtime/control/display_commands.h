// Commands that look at a screen of the guest.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command screenshot_command;
extern const Command screen_text_command;
extern const Command wait_for_text_command;

}  // namespace backplane::runtime::control
