// The command behind `backplane top`: counters and samples, for who asks again and again.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command activity_command;

}  // namespace backplane::runtime::control
