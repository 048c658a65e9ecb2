// `run --trace FILE`: a tracer in any machine.
#pragma once

#include "runtime/overrides.h"
#include "runtime/plugin_registry.h"

#include <expected>
#include <string>
#include <vector>

namespace backplane::cli {

// What adds the tracer to a machine, to come before all other settings. The plugin is loaded.
[[nodiscard]] std::expected<std::vector<runtime::Override>, std::string>
trace_overrides(const std::string& file, runtime::PluginRegistry& plugins);

}  // namespace backplane::cli
