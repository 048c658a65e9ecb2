// What a declared property accepts, as a JSON Schema: in machine files, and as an argument of a
// control command.
#pragma once

#include <backplane/abi/device.h>

#include <nlohmann/json_fwd.hpp>

namespace backplane::runtime {

// Null stands for the default.
[[nodiscard]] nlohmann::ordered_json property_schema(const backplane_property& property);

}  // namespace backplane::runtime
