// Commands about what is in drives: discs, floppy disks, and disks that are plugged in.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command change_medium_command;

}  // namespace backplane::runtime::control
