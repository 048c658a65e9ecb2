// A declared property as JSON: for `backplane info`, and for the arguments of control commands.
#pragma once

#include <backplane/abi/device.h>

#include <nlohmann/json_fwd.hpp>

namespace backplane::runtime {

// "unsigned", "bytes" ...
[[nodiscard]] const char* kind_name(const backplane_property& property);
[[nodiscard]] bool is_required(const backplane_property& property);
// A boolean, a number in base units, or text.
[[nodiscard]] nlohmann::ordered_json value_json(const backplane_property& property,
                                                const backplane_value& value);
// Its name, kind, doc, default, limits and choices.
[[nodiscard]] nlohmann::ordered_json property_json(const backplane_property& property);

}  // namespace backplane::runtime
