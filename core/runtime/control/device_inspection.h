// Everything about one device of a running machine as JSON, without side effects: what it was
// given, what it is connected to, and what is in it now.
#pragma once

#include "runtime/control/answer.h"
#include "runtime/machine.h"
#include "runtime/machine_description.h"

namespace backplane::runtime::control {

[[nodiscard]] ordered_json inspect_device(Machine& machine, const Component& component,
                                          const ComponentDescription& description);

}  // namespace backplane::runtime::control
