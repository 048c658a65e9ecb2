// What commands that look at a machine file without running it have in common: its name, `-p`,
// `--json`.
#pragma once

#include "cli/command.h"
#include "runtime/overrides.h"

#include <nlohmann/json_fwd.hpp>

#include <vector>

namespace backplane::cli {

void declare_machine_options(CommandOptions& options);
[[nodiscard]] std::vector<runtime::Override> overrides_from(const Arguments& arguments);
// To standard output.
void print_json(const nlohmann::ordered_json& json);

}  // namespace backplane::cli
