// Checks a machine document against the device types there are, and makes the description a machine
// is built from.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"
#include "runtime/machine_file.h"
#include "runtime/type_catalog.h"

#include <optional>

namespace backplane::runtime {

// Nothing when the document is incomplete, when plugins are missing, or when `diagnostics`, which
// already holds what reading it found, has errors.
[[nodiscard]] std::optional<MachineDescription>
check_machine(const MachineDocument& document, const TypeCatalog& types, Diagnostics& diagnostics);

}  // namespace backplane::runtime
