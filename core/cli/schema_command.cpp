#include "cli/command.h"
#include "cli/machine_options.h"
#include "runtime/machine_schema.h"
#include "runtime/plugin_registry.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace {

int run(const Arguments& arguments) {
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    plugins.load_all();
    print_json(runtime::machine_schema(plugins));
    if (!plugins.failed().empty())
        fmt::print(stderr,
                   "backplane: {} plugin(s) failed to load; `backplane list plugins` says why\n",
                   plugins.failed().size());
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command schema_command{
    .name = "schema",
    .arguments = "",
    .summary = "print a JSON Schema of machine files, for editors",
    .description =
        "It knows the device types of all plugins on the search path. In a machine file the line\n"
        "`# yaml-language-server: $schema=FILE` refers to it.",
    .declare = [](CommandOptions&) {},
    .run = run,
};

}  // namespace backplane::cli
