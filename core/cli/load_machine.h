// The way from a machine file's name to a description that can be built: read, load its plugins,
// check.
#pragma once

#include "runtime/diagnostics.h"
#include "runtime/machine_description.h"
#include "runtime/machine_file.h"
#include "runtime/overrides.h"
#include "runtime/plugin_registry.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace backplane::cli {

struct LoadedMachine {
    runtime::MachineDocument document;
    std::optional<runtime::MachineDescription> description;  // none when diagnostics has errors
    bool plugin_failed = false;  // a plugin that the file names was not loaded
};

// Everything that is wrong is in `diagnostics`, plugins that failed too. The description refers
// into `plugins`.
[[nodiscard]] LoadedMachine load_machine(const std::filesystem::path& file,
                                         const std::vector<runtime::Override>& overrides,
                                         runtime::PluginRegistry& plugins,
                                         runtime::Diagnostics& diagnostics);

}  // namespace backplane::cli
