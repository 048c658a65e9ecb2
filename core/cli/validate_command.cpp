#include "cli/command.h"
#include "cli/load_machine.h"
#include "cli/machine_options.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace {

int run(const Arguments& arguments) {
    const std::string file = arguments.text("machine");
    runtime::Diagnostics diagnostics;
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    const auto loaded = load_machine(file, overrides_from(arguments), plugins, diagnostics);
    const bool is_valid = loaded.description.has_value() && !diagnostics.has_errors();
    if (arguments.has("json")) {
        print_json({{"file", file},
                    {"valid", is_valid},
                    {"errors", diagnostics.count(runtime::Severity::Error)},
                    {"warnings", diagnostics.count(runtime::Severity::Warning)},
                    {"diagnostics", diagnostics.json()}});
    } else {
        fmt::print(stderr, "{}", diagnostics.text());
        if (is_valid)
            fmt::print("{}: valid: '{}' with {} devices\n", file, loaded.description->name,
                       loaded.description->components.size());
        else
            fmt::print(stderr, "{} error(s)\n", diagnostics.count(runtime::Severity::Error));
    }
    if (is_valid) return static_cast<int>(ExitCode::Ok);
    return static_cast<int>(loaded.plugin_failed ? ExitCode::PluginProblem : ExitCode::BadInput);
}

}  // namespace

const Command validate_command{
    .name = "validate",
    .arguments = "MACHINE",
    .summary = "check a machine file and report everything that is wrong with it",
    .description =
        "Reads the file with all that it includes, loads its plugins and checks every value and\n"
        "connection, but builds nothing. Exit code 0: valid; 2: errors; 3: a plugin failed.",
    .declare = declare_machine_options,
    .run = run,
};

}  // namespace backplane::cli
