// Commands about the texts that devices write about themselves.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command list_reports_command;
extern const Command report_command;

}  // namespace backplane::runtime::control
