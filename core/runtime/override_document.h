// An override in the shape of a machine file that says only this one thing, so that both are
// treated alike.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/overrides.h"
#include "runtime/yaml_document.h"

namespace backplane::runtime {

// Null when the override is malformed.
[[nodiscard]] YamlPointer override_document(const Override& setting, Diagnostics& diagnostics);

}  // namespace backplane::runtime
