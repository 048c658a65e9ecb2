// A JSON Schema of machine files with the given device types, with which editors complete and check
// while one types.
#pragma once

#include "runtime/type_catalog.h"

#include <nlohmann/json_fwd.hpp>

namespace backplane::runtime {

// Draft 7, the newest that yaml-language-server knows. It allows all that validate does, and
// refuses much of the rest.
[[nodiscard]] nlohmann::ordered_json machine_schema(const TypeCatalog& types);

}  // namespace backplane::runtime
