// Commands by which a client chooses the events that it is told.
#pragma once

#include "runtime/control/command.h"

namespace backplane::runtime::control {

extern const Command list_topics_command;
extern const Command subscribe_command;
extern const Command unsubscribe_command;

}  // namespace backplane::runtime::control
