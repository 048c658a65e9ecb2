// Shows everything that a device type declares: `backplane info TYPE`.
#pragma once

#include "runtime/type_catalog.h"

#include <nlohmann/json_fwd.hpp>

#include <string>

namespace backplane::runtime {

// "unsigned", "boolean" ...
[[nodiscard]] const char* state_kind(const backplane_state_field& field);

[[nodiscard]] std::string type_report_text(const TypeCatalog::Entry& entry);
[[nodiscard]] nlohmann::ordered_json type_report_json(const TypeCatalog::Entry& entry);

}  // namespace backplane::runtime
