#include "cli/command.h"
#include "cli/load_machine.h"
#include "cli/machine_options.h"
#include "runtime/explain.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace backplane::cli {

namespace {

namespace po = boost::program_options;

void declare(CommandOptions& options) {
    declare_machine_options(options);
    options.hidden.add_options()("what", po::value<std::string>());
    options.positional.add("what", 1);
}

// "serial0" stands for all its settings.
bool is_asked_for(const std::string& path, const std::string& what) {
    return what.empty() || path == what || path.starts_with(what + ".");
}

int run(const Arguments& arguments) {
    runtime::Diagnostics diagnostics;
    runtime::PluginRegistry plugins{runtime::PluginSearchPath::standard(arguments.plugin_path)};
    const auto loaded = load_machine(arguments.text("machine"), overrides_from(arguments), plugins,
                                     diagnostics);
    fmt::print(stderr, "{}", diagnostics.text());
    if (!loaded.description)
        return static_cast<int>(loaded.plugin_failed ? ExitCode::PluginProblem
                                                     : ExitCode::BadInput);
    auto settings = runtime::explain(loaded.document, *loaded.description, plugins);
    const std::string what = arguments.text("what");
    std::erase_if(settings, [&](const auto& setting) { return !is_asked_for(setting.path, what); });
    if (settings.empty()) {
        fmt::print(stderr, "backplane: the machine has no setting '{}'\n", what);
        return static_cast<int>(ExitCode::BadInput);
    }
    if (arguments.has("json"))
        print_json(runtime::explain_json(settings));
    else
        fmt::print("{}", runtime::explain_text(settings));
    return static_cast<int>(ExitCode::Ok);
}

}  // namespace

const Command explain_command{
    .name = "explain",
    .arguments = "MACHINE [DEVICE[.KEY]]",
    .summary = "show every effective setting of a machine and where it was said",
    .description = "For each setting: its value, the file and line, option or default it comes "
                   "from, and what it\n"
                   "replaced. With DEVICE or DEVICE.KEY only these.",
    .declare = declare,
    .run = run,
};

}  // namespace backplane::cli
