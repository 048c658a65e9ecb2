// The declarations of all commands, events and errors as JSON, for programs.
#pragma once

#include "runtime/control/answer.h"

namespace backplane::runtime::control {

// Arguments look as a device's properties do in `backplane info --json`.
[[nodiscard]] ordered_json declarations();
// What a request may be, as a JSON Schema (draft 7); arguments as in that of machine files.
[[nodiscard]] ordered_json request_schema();

}  // namespace backplane::runtime::control
