#include "cli/load_machine.h"

#include "runtime/machine_check.h"

namespace backplane::cli {

LoadedMachine load_machine(const std::filesystem::path& file,
                           const std::vector<runtime::Override>& overrides,
                           runtime::PluginRegistry& plugins, runtime::Diagnostics& diagnostics) {
    LoadedMachine machine;
    machine.document = runtime::read_machine_file(file, overrides, diagnostics);
    for (const auto& wanted : machine.document.plugins) {
        const auto loaded = wanted.name.empty() ? plugins.load_file(wanted.path)
                                                : plugins.load(wanted.name);
        if (loaded) continue;
        machine.plugin_failed = true;
        machine.document.plugins_missing = true;
        diagnostics.error(wanted.place, loaded.error());
    }
    machine.description = runtime::check_machine(machine.document, plugins, diagnostics);
    return machine;
}

}  // namespace backplane::cli
